import { setTimeout as sleep } from 'node:timers/promises';

import { Metrics } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { register } from 'prom-client';

import { CacheMetrics } from './cache.metrics.ts';
import { Caches, type CacheSpec } from './caches.ts';
import { TroubledStore } from '../test/fixtures/troubled.store.ts';
import { NotPlainData } from './plain-data.ts';
import { GuardedStore } from './store/guarded-store.ts';

const users: CacheSpec<{ name: string }> = { cache: 'users', ttl: '1m' };

/** What stands behind the cache: counts its reads, and answers when it is told to. */
class Source {
  loads = 0;
  running = 0;
  most = 0;
  name = 'Ann';
  gate: Promise<void> = Promise.resolve();

  readonly load = async (): Promise<{ name: string }> => {
    this.loads++;
    this.most = Math.max(this.most, ++this.running);
    const { name } = this;
    try {
      await this.gate;
      return { name };
    } finally {
      this.running--;
    }
  };
}

function gate(): { closed: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (open = resolve));
  return { closed, open };
}

describe('the caches of a service', () => {
  let store: TroubledStore;
  let guarded: GuardedStore;
  let caches: Caches;
  let source: Source;
  const read = () => caches.load(users, '1', source.load);

  beforeEach(() => {
    // Outages are the subject here.
    Logger.overrideLogger(false);
    register.clear();
    const metrics = new CacheMetrics(new Metrics());
    store = new TroubledStore();
    guarded = new GuardedStore(store, metrics, { timeoutMs: 20, retryMs: 30 });
    caches = new Caches(guarded, metrics);
    source = new Source();
  });

  it('load once, then answer from memory', async () => {
    expect(await read()).toEqual({ name: 'Ann' });
    expect(await read()).toEqual({ name: 'Ann' });
    expect(source.loads).toBe(1);
  });

  it('hand out copies, so that no caller changes what the next one gets', async () => {
    const answers = await Promise.all([read(), read(), read()]);
    answers.forEach((answer) => (answer.name += '!'));
    expect(answers.map(({ name }) => name)).toEqual(['Ann!', 'Ann!', 'Ann!']);
    (await read()).name = 'Eve';
    expect(await read()).toEqual({ name: 'Ann' });
  });

  it('keep keys and caches apart', async () => {
    await read();
    await caches.load(users, '2', source.load);
    await caches.load({ cache: 'people', ttl: '1m' }, '1', source.load);
    expect(source.loads).toBe(3);
  });

  it('refuse an empty key', async () => {
    await expect(caches.load(users, '', source.load)).rejects.toThrow('a key is missing');
    await expect(caches.evict('users', ['1', ''])).rejects.toThrow('a key is missing');
  });

  it('load again when the time to live is over', async () => {
    const brief = { cache: 'users', ttl: '40ms' } as const;
    await caches.load(brief, '1', source.load);
    await sleep(60);
    await caches.load(brief, '1', source.load);
    expect(source.loads).toBe(2);
  });

  it('refuse what would come out as something else, and say what', async () => {
    class UserEntity {
      id = '1';
    }
    await expect(
      caches.load({ cache: 'users', ttl: '1m' }, '1', () => Promise.resolve(new UserEntity())),
    ).rejects.toThrow(NotPlainData);
    expect(store.openTickets).toBe(0);
  });

  describe('with many who ask at once', () => {
    it('load once', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const reads = Array.from({ length: 200 }, read);
      await eventually(() => expect(source.running).toBe(1), { timeoutMs: 1000 });
      open();
      expect(new Set((await Promise.all(reads)).map(({ name }) => name))).toEqual(new Set(['Ann']));
      expect(source.loads).toBe(1);
    });

    it('never load a key twice at a time, however the reads fall', async () => {
      await Promise.all(
        Array.from({ length: 300 }, async (_, index) => {
          await sleep(index % 7);
          await caches.load({ cache: 'users', ttl: '1ms' }, '1', source.load);
        }),
      );
      expect(source.most).toBe(1);
    });

    it('give all of them the error, and keep none of it', async () => {
      const failing = async (): Promise<{ name: string }> => {
        await sleep(5);
        throw new Error('database away');
      };
      const reads = [1, 2, 3].map(() => caches.load(users, '1', failing));
      for (const result of await Promise.allSettled(reads)) expect(result.status).toBe('rejected');
      expect(await read()).toEqual({ name: 'Ann' });
      expect(store.openTickets).toBe(0);
    });
  });

  describe('where nothing is found', () => {
    it('keep null', async () => {
      let loads = 0;
      const missing = () => Promise.resolve((loads++, null));
      const spec: CacheSpec<null> = { cache: 'absent', ttl: '1m' };
      expect(await caches.load(spec, '1', missing)).toBeNull();
      expect(await caches.load(spec, '1', missing)).toBeNull();
      expect(loads).toBe(1);
    });

    it('do not keep undefined', async () => {
      let loads = 0;
      const missing = () => Promise.resolve((loads++, undefined));
      const spec: CacheSpec<undefined> = { cache: 'absent', ttl: '1m' };
      await caches.load(spec, '1', missing);
      await caches.load(spec, '1', missing);
      expect(loads).toBe(2);
      expect(store.openTickets).toBe(0);
    });
  });

  describe('after an eviction', () => {
    it('load again', async () => {
      await read();
      source.name = 'Bea';
      await caches.evict('users', '1');
      expect(await read()).toEqual({ name: 'Bea' });
    });

    it('are not filled by a load that began before it', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const early = read();
      await eventually(() => expect(source.running).toBe(1), { timeoutMs: 1000 });
      source.name = 'Bea';
      await caches.evict('users', '1');
      open();
      expect(await early).toEqual({ name: 'Ann' });
      expect(await read()).toEqual({ name: 'Bea' });
    });

    it('do not make who asks after it wait for a load that began before it', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const early = read();
      await eventually(() => expect(source.running).toBe(1), { timeoutMs: 1000 });
      source.name = 'Bea';
      await caches.evict('users', '1');
      source.gate = Promise.resolve();
      expect(await read()).toEqual({ name: 'Bea' });
      open();
      expect(await early).toEqual({ name: 'Ann' });
      expect(await read()).toEqual({ name: 'Bea' });
      expect(source.loads).toBe(2);
    });
  });

  describe.each(['refuses', 'hangs'] as const)('while the store %s', (trouble) => {
    it('ask the database', async () => {
      await read();
      store.trouble = trouble;
      source.name = 'Bea';
      expect(await read()).toEqual({ name: 'Bea' });
    });

    it('still load once for many', async () => {
      store.trouble = trouble;
      const { closed, open } = gate();
      source.gate = closed;
      const reads = Array.from({ length: 50 }, read);
      await eventually(() => expect(source.running).toBe(1), { timeoutMs: 1000 });
      open();
      await Promise.all(reads);
      expect(source.loads).toBe(1);
    });

    it('leave it alone for a moment instead of asking each time', async () => {
      store.trouble = trouble;
      await read();
      const asked = store.asked.length;
      for (let index = 0; index < 20; index++) await read();
      expect(store.asked.length).toBe(asked);
    });

    it('use it again when it is back', async () => {
      store.trouble = trouble;
      await read();
      store.trouble = 'none';
      await eventually(
        async () => {
          const before = source.loads;
          await read();
          expect(source.loads).toBe(before);
        },
        { timeoutMs: 1000, intervalMs: 10 },
      );
    });

    it('do not answer with what was evicted meanwhile, once it is back', async () => {
      await read();
      store.trouble = trouble;
      source.name = 'Bea';
      await caches.evict('users', '1');
      store.trouble = 'none';
      for (let index = 0; index < 20; index++) {
        expect(await read()).toEqual({ name: 'Bea' });
        await sleep(5);
      }
      // Taken by now: hits again.
      const { loads } = source;
      await read();
      expect(source.loads).toBe(loads);
    });
  });

  it('try a last time at a stop to evict what the store has not taken', async () => {
    await read();
    store.trouble = 'refuses';
    await caches.evict('users', '1');
    store.trouble = 'none';
    const gone = store.asked.length;
    await guarded.shutDown();
    expect(store.asked.slice(gone)).toContain('evict');
  });

  it('count hits, misses, waits, loads and evictions', async () => {
    await Promise.all([read(), read(), read()]);
    await read();
    await caches.evict('users', '1');
    const text = await register.metrics();
    for (const line of [
      'cache_requests_total{cache="users",result="miss"} 1',
      'cache_requests_total{cache="users",result="joined"} 2',
      'cache_requests_total{cache="users",result="hit"} 1',
      'cache_loads_total{cache="users",outcome="ok"} 1',
      'cache_writes_total{cache="users",kind="fill",outcome="stored"} 1',
      'cache_evictions_total{cache="users"} 1',
      'cache_load_duration_seconds_count{cache="users"} 1',
      'cache_pending_evictions 0',
    ]) {
      expect(text).toContain(line);
    }
  });
});
