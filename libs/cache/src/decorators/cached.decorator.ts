import type { CacheSpec } from '../caches.ts';
import { declareCache } from '../declared-caches.ts';
import { toMilliseconds } from '../duration.ts';
import { aroundMethod } from './around-method.ts';

export interface CachedOptions<A extends unknown[], T> extends CacheSpec<T> {
  /** Of the method's arguments. Names everything the result depends on. */
  key: (...args: A) => string;
}

/**
 * Cache-aside: the method runs only when the cache has no answer, and once however many ask. Returns plain data, never
 * entities. Inside a transaction the method always runs. Stands above `@Transactional`.
 *
 * ```ts
 * @Cached({ cache: 'roles', key: (id: string) => id, ttl: '5m' })
 * async roleOf(id: string): Promise<RoleView> { ... }
 * ```
 */
export function Cached<A extends unknown[], T = unknown>(options: CachedOptions<A, T>) {
  toMilliseconds(options.ttl);
  declareCache(options.cache);
  const spec: CacheSpec<T | null | undefined> = options;
  return aroundMethod<A, T | null | undefined>('Cached', (caches, call, args) =>
    caches.load(spec, options.key(...args), call),
  );
}
