import { EngineConfig, Health, Lifecycle, Metrics, ServiceInfo } from '@gatehouse/kernel';
import { Global, Module } from '@nestjs/common';

import { RedisAway, RedisLink } from './redis-link.ts';
import { RedisConfig } from './redis.config.ts';
import { RedisMetrics } from './redis.metrics.ts';
import { redisSettings } from './redis-settings.ts';

/**
 * The connection of a process to Redis, one however many libraries import this. `RedisLink` is injected as `undefined` where
 * REDIS_URL is not set, and the client library is not loaded then.
 */
@Global()
@Module({
  providers: [
    RedisConfig,
    EngineConfig,
    {
      provide: RedisLink,
      inject: [RedisConfig, EngineConfig, Metrics, ServiceInfo, Lifecycle, Health],
      useFactory: linkOf,
    },
  ],
  exports: [RedisLink],
})
export class RedisModule {}

function linkOf(
  config: RedisConfig,
  engines: EngineConfig,
  metrics: Metrics,
  service: ServiceInfo,
  lifecycle: Lifecycle,
  health: Health,
): RedisLink | undefined {
  const settings = redisSettings(config);
  if (settings === undefined) return undefined;
  const link = new RedisLink(settings, new RedisMetrics(metrics), {
    service: service.name,
    withinMs: engines.ENGINE_WAIT_SECONDS * 1000,
  });
  lifecycle.onStart('database', 'Redis', () => link.connect());
  lifecycle.onStop('close', 'Redis', () => link.close());
  health.addDependency('redis', () => {
    if (!link.available) throw new RedisAway('Redis does not answer');
  });
  return link;
}
