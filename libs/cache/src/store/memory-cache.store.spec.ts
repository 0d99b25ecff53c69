import { describe, expect, it } from '@jest/globals';

import { describeCacheStore } from '../testing/cache-store.suite.ts';
import { MemoryCacheStore } from './memory-cache.store.ts';

const limits = { maxEntries: 1000, maxBytes: 1024 ** 2 };

describeCacheStore('memory', () => Promise.resolve([new MemoryCacheStore(limits)]));

describe('the memory store', () => {
  const fill = async (store: MemoryCacheStore, key: string, size: number) =>
    store.put(await store.open(key), { bytes: new Uint8Array(size) }, 60_000);

  it('keeps to its number of entries, and drops what was not used for longest', async () => {
    const store = new MemoryCacheStore({ ...limits, maxEntries: 2 });
    await fill(store, 'a', 1);
    await fill(store, 'b', 1);
    await store.get('a');
    await fill(store, 'c', 1);
    expect(await store.get('b')).toBeUndefined();
    expect(await store.get('a')).toBeDefined();
  });

  it('keeps to its bytes', async () => {
    const store = new MemoryCacheStore({ ...limits, maxBytes: 10_000 });
    for (let index = 0; index < 100; index++) await fill(store, `k${index}`, 1000);
    const left = await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.get(`k${index}`)),
    );
    expect(left.filter((value) => value !== undefined).length).toBeLessThanOrEqual(10);
    expect(left.at(-1)).toBeDefined();
  });

  it('does not keep a value that is larger than all it may take', async () => {
    const store = new MemoryCacheStore({ ...limits, maxBytes: 10_000 });
    await fill(store, 'big', 20_000);
    expect(await store.get('big')).toBeUndefined();
  });

  it('remembers an eviction even when the store is full of other keys', async () => {
    const store = new MemoryCacheStore({ ...limits, maxEntries: 2 });
    const ticket = await store.open('a');
    await store.evict('a');
    for (const key of ['b', 'c', 'd', 'e']) await fill(store, key, 1);
    expect(await store.put(ticket, { bytes: new Uint8Array(1) }, 60_000)).toBe('evicted');
  });

  it('keeps nothing of tickets that were used or given back', async () => {
    const store = new MemoryCacheStore(limits);
    for (let index = 0; index < 100; index++) {
      await fill(store, `k${index % 7}`, 1);
      await store.close(await store.open('a'));
    }
    expect(store.openTickets).toBe(0);
  });
});
