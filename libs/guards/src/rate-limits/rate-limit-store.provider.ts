import { RedisLink } from '@gatehouse/cache/redis';
import { Lifecycle, Metrics } from '@gatehouse/kernel';
import type { FactoryProvider } from '@nestjs/common';

import { GuardsConfig } from '../guards.config.ts';
import { MemoryRateLimitStore } from './memory-rate-limit.store.ts';
import { publishRateLimits } from './rate-limit.metrics.ts';
import { RateLimitStore } from './rate-limit-store.ts';

/** Counters in Redis where REDIS_URL is set, else in this process's memory. Needs `RedisModule`. */
export const rateLimitStoreProvider: FactoryProvider<RateLimitStore> = {
  provide: RateLimitStore,
  inject: [GuardsConfig, { token: RedisLink, optional: true }, Metrics, Lifecycle],
  useFactory: async (
    config: GuardsConfig,
    link: RedisLink | undefined,
    metrics: Metrics,
    lifecycle: Lifecycle,
  ) => {
    const options = { maxKeys: config.RATE_LIMIT_MAX_KEYS };
    if (link === undefined) {
      const store = new MemoryRateLimitStore(options);
      publishRateLimits(metrics, store);
      return store;
    }
    const { RedisRateLimitStore } = await import('./redis/redis-rate-limit.store.ts');
    const store = new RedisRateLimitStore(link, options);
    publishRateLimits(metrics, store);
    metrics.readGauge(
      'rate_limit_store_fallback',
      'Whether this process counts rate limits alone, because Redis cannot be asked: 1 or 0',
      [],
      (show) => show(store.isAlone ? 1 : 0),
    );
    lifecycle.onStop('flush', 'rate limits', () => store.close());
    return store;
  },
};
