import { Lifecycle } from '@gatehouse/kernel';
import { type DynamicModule, Module } from '@nestjs/common';

import { CacheConfig } from './cache.config.ts';
import { CacheMetrics } from './cache.metrics.ts';
import { Caches } from './caches.ts';
import { CacheStore } from './store/cache-store.ts';
import { GuardedStore } from './store/guarded-store.ts';
import { MemoryCacheStore } from './store/memory-cache.store.ts';

/** Caches for a service: import `CacheModule.forService()` once, then decorate methods of any provider. */
@Module({})
export class CacheModule {
  static forService(): DynamicModule {
    return {
      module: CacheModule,
      global: true,
      providers: [
        CacheConfig,
        CacheMetrics,
        Caches,
        {
          provide: CacheStore,
          inject: [CacheConfig],
          useFactory: (config: CacheConfig) =>
            new MemoryCacheStore({
              maxEntries: config.CACHE_MAX_ENTRIES,
              maxBytes: config.CACHE_MAX_BYTES,
            }),
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
