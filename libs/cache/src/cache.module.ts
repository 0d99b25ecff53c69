import { Lifecycle, ServiceInfo } from '@gatehouse/kernel';
import { type DynamicModule, Module } from '@nestjs/common';

import { CacheConfig } from './cache.config.ts';
import { CacheMetrics } from './cache.metrics.ts';
import { Caches } from './caches.ts';
import { RedisLink } from './redis/redis-link.ts';
import { RedisModule } from './redis/redis.module.ts';
import { CacheStore } from './store/cache-store.ts';
import { GuardedStore } from './store/guarded-store.ts';
import { MemoryCacheStore } from './store/memory-cache.store.ts';

/**
 * Caches for a service: import `CacheModule.forService()` once, then decorate methods of any provider. REDIS_URL chooses
 * where values are; without it, the memory of each process.
 */
@Module({})
export class CacheModule {
  static forService(): DynamicModule {
    return {
      module: CacheModule,
      global: true,
      imports: [RedisModule],
      providers: [
        CacheConfig,
        CacheMetrics,
        Caches,
        {
          provide: CacheStore,
          inject: [CacheConfig, ServiceInfo, RedisLink],
          useFactory: storeOf,
        },
        {
          provide: GuardedStore,
          inject: [CacheStore, CacheMetrics, CacheConfig, Lifecycle],
          useFactory: (
            store: CacheStore,
            metrics: CacheMetrics,
            config: CacheConfig,
            lifecycle: Lifecycle,
          ) => {
            const guarded = new GuardedStore(store, metrics, {
              timeoutMs: config.CACHE_STORE_TIMEOUT_MS,
            });
            lifecycle.onStop('close', 'cache store', () => guarded.shutDown());
            return guarded;
          },
        },
      ],
      exports: [Caches],
    };
  }
}

async function storeOf(
  config: CacheConfig,
  service: ServiceInfo,
  link: RedisLink | undefined,
): Promise<CacheStore> {
  if (link !== undefined) {
    // Loaded where it serves: with it comes the Redis client.
    const { RedisCacheStore } = await import('./store/redis-cache.store.ts');
    return new RedisCacheStore(link, service.version);
  }
  return new MemoryCacheStore({
    maxEntries: config.CACHE_MAX_ENTRIES,
    maxBytes: config.CACHE_MAX_BYTES,
  });
}
