/** Caches as decorators: `@Cached` (aside), `@CacheThrough` (write-through), `@Evicts`. Guarantees: see {@link Caches}. */
export * from './cache.config.ts';
export * from './cache.module.ts';
export * from './caches.ts';
export * from './decorators/cache-through.decorator.ts';
export * from './decorators/cached.decorator.ts';
export * from './decorators/evicts.decorator.ts';
export { type Duration } from './duration.ts';
export { NotPlainData } from './plain-data.ts';
export * from './store/cache-store.ts';
export * from './store/memory-cache.store.ts';
