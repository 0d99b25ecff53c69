import { describe, expect, it } from '@jest/globals';

import { rateLimitStoreContract } from '../testing/rate-limit-store.contract.ts';
import { MemoryRateLimitStore } from './memory-rate-limit.store.ts';

rateLimitStoreContract('memory', () => {
  let now = 1000;
  return {
    store: new MemoryRateLimitStore({ now: () => now }),
    advance: (ms) => {
      now += ms;
    },
  };
});

describe('MemoryRateLimitStore', () => {
  const quota = { limit: 10, window_seconds: 1 };

  it('forgets counters that are whole again', () => {
    let now = 0;
    const store = new MemoryRateLimitStore({ now: () => now });
    for (let i = 0; i < 1000; i += 1) store.consume(`key-${i}`, 1, quota);
    expect(store.size).toBe(1000);
    now += 2000;
    for (let i = 0; i < 1000; i += 1)
      store.consume('other', 1, { limit: 10_000, window_seconds: 1 });
    expect(store.size).toBe(1);
    expect(store.evictions).toBe(0);
  });

  it('holds no more than its bound, drops what was touched longest ago, and counts that', () => {
    const store = new MemoryRateLimitStore({ maxKeys: 100, now: () => 0 });
    store.consume('kept', 10, quota);
    for (let i = 0; i < 1000; i += 1) {
      store.consume(`key-${i}`, 1, quota);
      expect(store.consume('kept', 1, quota).allowed).toBe(i < 0);
    }
    expect(store.size).toBeLessThanOrEqual(100);
    expect(store.evictions).toBeGreaterThan(800);
  });
});
