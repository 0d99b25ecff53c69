import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { CacheStore, Claim, PutOutcome, StoredValue, Ticket } from '../store/cache-store.ts';

const MINUTE = 60_000;

const text = (value: StoredValue | undefined) =>
  value === undefined ? undefined : Buffer.from(value.bytes).toString();
const stored = (content: string, version?: number): StoredValue => ({
  bytes: Buffer.from(content),
  version,
});

/**
 * What every {@link CacheStore} guarantees, against the real thing.
 * @param create a store that is empty, and alone with its keys; where instances share what they store, those of two
 */
export function describeCacheStore(
  name: string,
  create: () => Promise<readonly [CacheStore, CacheStore?]>,
): void {
  describe(`the cache store ${name}`, () => {
    let store: CacheStore;
    /** Another instance's where there is one. */
    let other: CacheStore;
    beforeEach(async () => {
      const [first, second = first] = await create();
      store = first;
      other = second;
    });
    afterEach(async () => {
      await store.disconnect();
      if (other !== store) await other.disconnect();
    });

    const put = async (key: string, value: StoredValue, ttlMs = MINUTE): Promise<PutOutcome> =>
      other.put(await other.open(key), value, ttlMs);

    it('returns what was put, byte for byte, with its version', async () => {
      const bytes = Uint8Array.from([0, 255, 128, 10, 13, 0]);
      await store.put(await store.open('a'), { bytes, version: 7 }, MINUTE);
      const found = await store.get('a');
      expect(Buffer.from(found?.bytes ?? []).equals(Buffer.from(bytes))).toBe(true);
      expect(found?.version).toBe(7);
    });

    it('returns nothing for a key that was never put', async () => {
      await put('a', stored('1'));
      expect(await store.get('b')).toBeUndefined();
      expect(await store.get('')).toBeUndefined();
    });

    it('takes keys of any characters', async () => {
      for (const key of [
        'users:ann@example.com',
        'a b\n{c}',
        '__proto__',
        'ключ',
        'k'.repeat(500),
      ]) {
        await put(key, stored(key));
        expect(text(await store.get(key))).toBe(key);
      }
    });

    it('forgets a value when its time is over', async () => {
      await put('a', stored('1'), 40);
      expect(text(await store.get('a'))).toBe('1');
      await sleep(80);
      expect(await store.get('a')).toBeUndefined();
    });

    it('forgets what is evicted, and that alone', async () => {
      await put('a', stored('1'));
      await put('b', stored('2'));
      await other.evict('a');
      expect(await store.get('a')).toBeUndefined();
      expect(text(await store.get('b'))).toBe('2');
    });

    it('keeps what is as new as the change that evicts, and forgets what is older', async () => {
      await put('a', stored('two', 2));
      await store.evict('a', 2);
      await store.evict('a', 1);
      expect(text(await other.get('a'))).toBe('two');
      const ticket = await store.open('a');
      await other.evict('a', 3);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.put(ticket, stored('two', 2), MINUTE)).toBe('evicted');
      await put('b', stored('of no version'));
      await other.evict('b', 1);
      expect(await store.get('b')).toBeUndefined();
    });

    it('forgets everything when it is cleared', async () => {
      const ticket = await store.open('c');
      await put('a', stored('1'));
      await other.clear();
      expect(await store.get('a')).toBeUndefined();
      expect(await store.put(ticket, stored('2'), MINUTE)).toBe('evicted');
    });

    describe('a load that began before an eviction', () => {
      it('fills nothing', async () => {
        const ticket = await store.open('a');
        await other.evict('a');
        expect(await store.put(ticket, stored('stale'), MINUTE)).toBe('evicted');
        expect(await store.get('a')).toBeUndefined();
      });

      it('fills nothing, whatever its version', async () => {
        const ticket = await store.open('a');
        await other.evict('a');
        expect(await store.put(ticket, stored('stale', 9), MINUTE)).toBe('evicted');
      });

      it('fills nothing after a later load filled the key again', async () => {
        const ticket = await store.open('a');
        await other.evict('a');
        await put('a', stored('fresh'));
        expect(await store.put(ticket, stored('stale'), MINUTE)).toBe('evicted');
        expect(text(await store.get('a'))).toBe('fresh');
      });

      it('fills another key all the same', async () => {
        const ticket = await store.open('a');
        await other.evict('b');
        expect(await store.put(ticket, stored('1'), MINUTE)).toBe('stored');
      });
    });

    it('fills from a load that began after the eviction', async () => {
      await other.evict('a');
      expect(await put('a', stored('1'))).toBe('stored');
    });

    describe('of two versions', () => {
      it('keeps the newer, whichever comes first', async () => {
        const [old, young] = [await store.open('a'), await other.open('a')];
        expect(await other.put(young, stored('three', 3), MINUTE)).toBe('stored');
        expect(await store.put(old, stored('two', 2), MINUTE)).toBe('superseded');
        expect(text(await store.get('a'))).toBe('three');

        const [older, newer] = [await store.open('b'), await other.open('b')];
        expect(await store.put(older, stored('two', 2), MINUTE)).toBe('stored');
        expect(await other.put(newer, stored('three', 3), MINUTE)).toBe('stored');
        expect(text(await store.get('b'))).toBe('three');
      });

      it('refuses the older even after the newer has expired', async () => {
        const ticket = await store.open('a');
        await put('a', stored('three', 3), 20);
        await sleep(50);
        expect(await store.put(ticket, stored('two', 2), MINUTE)).toBe('superseded');
        expect(await store.get('a')).toBeUndefined();
      });

      it('keeps the newest of many that come at once', async () => {
        for (let round = 0; round < 20; round++) {
          const versions = shuffled(Array.from({ length: 12 }, (_, index) => index + 1));
          const at = (index: number) => (index % 2 === 0 ? store : other);
          const tickets = await Promise.all(versions.map((_, n) => at(n).open(`k${round}`)));
          await Promise.all(
            versions.map((version, n) =>
              at(n).put(tickets[n] as Ticket, stored(String(version), version), MINUTE),
            ),
          );
          expect(text(await store.get(`k${round}`))).toBe('12');
        }
      });
    });

    describe('a value without a version', () => {
      it('gives way to one that has a version', async () => {
        await put('a', stored('filled'));
        expect(await put('a', stored('written', 1))).toBe('stored');
        expect(text(await store.get('a'))).toBe('written');
      });

      it('is refused when the key was written since its load began', async () => {
        const ticket = await store.open('a');
        await put('a', stored('written', 5));
        expect(await store.put(ticket, stored('filled'), MINUTE)).toBe('superseded');
        expect(text(await store.get('a'))).toBe('written');
      });
    });

    it('takes a ticket once', async () => {
      const used = await store.open('a');
      await store.put(used, stored('1'), MINUTE);
      expect(await store.put(used, stored('2', 2), MINUTE)).toBe('evicted');
      const closed = await store.open('a');
      await store.close(closed);
      expect(await store.put(closed, stored('3', 3), MINUTE)).toBe('evicted');
      expect(text(await store.get('a'))).toBe('1');
    });

    it('keeps what is larger than a packet, and versions of any size', async () => {
      const version = Number.MAX_SAFE_INTEGER;
      const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
      await store.put(await store.open('a'), { bytes, version: version - 1 }, MINUTE);
      expect(Buffer.from((await other.get('a'))?.bytes ?? []).equals(Buffer.from(bytes))).toBe(
        true,
      );
      expect(await put('a', stored('newer', version))).toBe('stored');
      expect(await put('a', stored('older', version - 1))).toBe('superseded');
      expect((await store.get('a'))?.version).toBe(version);
    });

    it('keeps a version apart from nothing: the first put of a version that expired is stored', async () => {
      await put('a', stored('three', 3), 20);
      await sleep(50);
      expect(await put('a', stored('three', 3))).toBe('stored');
      expect(text(await store.get('a'))).toBe('three');
    });

    describe('the claim to load a key', () => {
      it('is one instance’s at a time', async () => {
        const claim = await store.claim(await store.open('a'), MINUTE);
        expect(claim).toBeDefined();
        expect(await other.claim(await other.open('a'), MINUTE)).toBeUndefined();
        expect(await other.claim(await other.open('b'), MINUTE)).toBeDefined();
        await store.release(claim as Claim);
        expect(await other.claim(await other.open('a'), MINUTE)).toBeDefined();
      });

      it('is given to one of many who ask at once', async () => {
        const tickets = await Promise.all(Array.from({ length: 50 }, () => store.open('a')));
        const claims = await Promise.all(tickets.map((ticket) => store.claim(ticket, MINUTE)));
        expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
      });

      it('runs out, and whoever had it cannot give back another’s', async () => {
        const late = await store.claim(await store.open('a'), 30);
        await sleep(60);
        const claim = await other.claim(await other.open('a'), MINUTE);
        expect(claim).toBeDefined();
        await store.release(late as Claim);
        expect(await store.claim(await store.open('a'), MINUTE)).toBeUndefined();
      });

      it('is no obstacle to a load that began after an eviction', async () => {
        await store.claim(await store.open('a'), MINUTE);
        await other.evict('a');
        expect(await other.claim(await other.open('a'), MINUTE)).toBeDefined();
      });
    });

    it('never shows what was put before an eviction that has resolved', async () => {
      for (let round = 0; round < 50; round++) {
        const tickets = await Promise.all([store.open('a'), store.open('a'), store.open('a')]);
        const puts = tickets.map((ticket) => store.put(ticket, stored(`stale ${round}`), MINUTE));
        await other.evict('a');
        await Promise.all(puts);
        expect(await store.get('a')).toBeUndefined();
      }
    });
  });
}

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
