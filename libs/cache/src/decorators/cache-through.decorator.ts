import { currentTransaction } from '@gatehouse/persistence';

import type { CacheSpec } from '../caches.ts';
import { toMilliseconds } from '../duration.ts';
import { aroundMethod } from './around-method.ts';

export interface CacheThroughOptions<T> extends CacheSpec<T> {
  /** Of the new state, as `@Cached` makes it of its arguments. */
  key: (value: T & {}) => string;
  version: (value: T & {}) => number;
}

/**
 * Write-through: the method's result, the new state, is in the cache once the transaction has committed. An older commit
 * never overwrites a newer one. Stands *below* `@Transactional`:
 *
 * ```ts
 * @Transactional()
 * @CacheThrough({ cache: 'users', key: (user: UserView) => user.id, version: (user) => user.version, ttl: '5m' })
 * async update(id: string, change: Change): Promise<UserView> { ... }
 * ```
 *
 * Called outside a transaction it throws before the method runs.
 */
export function CacheThrough<T>(options: CacheThroughOptions<T>) {
  toMilliseconds(options.ttl);
  return aroundMethod<[], T>('CacheThrough', async (caches, call, _args, where) => {
    if (currentTransaction() === undefined) {
      throw new Error(`${where}: runs outside a transaction; put it below @Transactional()`);
    }
    const value = await call();
    if (value != null) await caches.writeThrough<T>(options, options.key(value), value);
    return value;
  });
}
