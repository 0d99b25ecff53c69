import { aroundMethod } from './around-method.ts';

type Keys = string | readonly string[];

export interface EvictsOptions<A extends unknown[], R> {
  /** The name that `@Cached` and `@CacheThrough` use. */
  cache: string;
  /** Of the method's arguments. */
  key?: (...args: A) => Keys;
  /** Of what the method returned, where the arguments do not tell. */
  keyOfResult?: (result: R, ...args: A) => Keys;
  /** Of the change, as `@Cached` counts versions: what is cached of this version or a newer one stays. */
  version?: (...args: A) => number;
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
 * A memory store is one instance's: to evict in all, put it on a `broadcast` subscriber of the change's event as well. With
 * a store that instances share, the event makes good what a process could not do that ended between its COMMIT and its
 * eviction; `version` keeps what was written through.
 */
export function Evicts<A extends unknown[] = [], R = unknown>(options: EvictsOptions<A, R>) {
  const { cache, key, keyOfResult, version } = options;
  if (key === undefined && keyOfResult === undefined) {
    throw new Error(`@Evicts of cache ${cache}: needs key or keyOfResult`);
  }
  return aroundMethod<A, R>('Evicts', async (caches, call, args) => {
    let result: R;
    try {
      result = await call();
    } finally {
      if (key !== undefined) await caches.evict(cache, key(...args), version?.(...args));
    }
    if (keyOfResult !== undefined) {
      await caches.evict(cache, keyOfResult(result, ...args), version?.(...args));
    }
    return result;
  });
}
