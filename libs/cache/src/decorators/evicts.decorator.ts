import { aroundMethod } from './around-method.ts';

type Keys = string | readonly string[];

export interface EvictsOptions<A extends unknown[], R> {
  /** The name that `@Cached` and `@CacheThrough` use. */
  cache: string;
  /** Of the method's arguments. */
  key?: (...args: A) => Keys;
  /** Of what the method returned, where the arguments do not tell. */
  keyOfResult?: (result: R, ...args: A) => Keys;
}

/**
 * Invalidation: the keys are evicted when the transaction has ended, or when the method has where there is none. That goes
 * for a method that failed too: what it did may be there all the same. Above or below `@Transactional`, both are right.
 *
 * ```ts
 * @Transactional()
 * @Evicts({ cache: 'users', key: (id: string) => id })
 * async delete(id: string): Promise<void> { ... }
 * ```
 *
 * A memory store is one instance's: to evict in all, put it on a `broadcast` subscriber as well.
 */
export function Evicts<A extends unknown[] = [], R = unknown>(options: EvictsOptions<A, R>) {
  const { cache, key, keyOfResult } = options;
  if (key === undefined && keyOfResult === undefined) {
    throw new Error(`@Evicts of cache ${cache}: needs key or keyOfResult`);
  }
  return aroundMethod<A, R>('Evicts', async (caches, call, args) => {
    let result: R;
    try {
      result = await call();
    } finally {
      if (key !== undefined) await caches.evict(cache, key(...args));
    }
    if (keyOfResult !== undefined) await caches.evict(cache, keyOfResult(result, ...args));
    return result;
  });
}
