import { RedisLink } from '@gatehouse/cache/redis';
import { Lifecycle, Metrics } from '@gatehouse/kernel';
import type { FactoryProvider } from '@nestjs/common';

import { GuardsConfig } from '../guards.config.ts';
import { MemoryRateLimitStore } from './memory-rate-limit.store.ts';
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
    if (link === undefined) return new MemoryRateLimitStore(options);
    const { RedisRateLimitStore } = await import('./redis/redis-rate-limit.store.ts');
    const { RateLimitStoreMetrics } = await import('./redis/rate-limit-store.metrics.ts');
    const store = new RedisRateLimitStore(link, new RateLimitStoreMetrics(metrics), options);
    lifecycle.onStop('flush', 'rate limits', () => store.close());
    return store;
  },
};
