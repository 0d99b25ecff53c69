import { setTimeout as sleep } from 'node:timers/promises';

import { Metrics } from '@gatehouse/kernel';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Logger } from '@nestjs/common';
import { register } from 'prom-client';

import { CacheMetrics } from '../../src/cache.metrics.ts';
import { Caches, type CacheSpec } from '../../src/caches.ts';
import type { RedisLink } from '../../src/redis/redis-link.ts';
import { GuardedStore } from '../../src/store/guarded-store.ts';
import { RedisCacheStore } from '../../src/store/redis-cache.store.ts';
import { asOrders, linkTo, SECURED } from '../fixtures/redis-engine.ts';

interface User {
  name: string;
}
const users: CacheSpec<User> = { cache: 'users', ttl: '5m' };
const inFleet: CacheSpec<User> = { ...users, singleFlight: 'fleet' };

/** What stands behind the caches of all instances. */
class Source {
  loads = 0;
  running = 0;
  name = 'Ann';
  gate: Promise<void> = Promise.resolve();

  readonly load = async (): Promise<User> => {
    this.loads++;
    this.running++;
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

/** One process of the service. */
class Instance {
  readonly link: RedisLink;
  readonly store: RedisCacheStore;
  readonly guarded: GuardedStore;
  readonly caches: Caches;

  constructor(port: number) {
    const metrics = new CacheMetrics(new Metrics());
    // A busy machine is no outage.
    this.link = linkTo(asOrders(port), { commandTimeoutMs: 2_000 });
    this.store = new RedisCacheStore(this.link, '1.0.0');
    this.guarded = new GuardedStore(this.store, metrics, { timeoutMs: 2_000, retryMs: 50 });
    this.caches = new Caches(this.guarded, metrics);
  }

  async close(): Promise<void> {
    await this.guarded.shutDown();
    await this.link.close();
  }
}

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let here: Instance;
  let there: Instance;
  let source: Source;
  const read = (instance: Instance, spec = users, key = '1') =>
    instance.caches.load(spec, key, source.load);
  const metric = async (line: string): Promise<boolean> =>
    (await register.metrics()).includes(`${line}\n`);

  beforeAll(async () => {
    // Outages are the subject here.
    Logger.overrideLogger(false);
    set = await engineSet(['redis'], { settings: SECURED });
  }, ENGINES_START_MS);
  afterAll(() => set.end());
  beforeEach(async () => {
    register.clear();
    source = new Source();
    here = new Instance(set.ports.redis);
    there = new Instance(set.ports.redis);
    await Promise.all([here.link.connect(), there.link.connect()]);
    await here.store.clear();
  });
  afterEach(() => Promise.all([here.close(), there.close()]));

  describe('the caches of two instances', () => {
    it('load once for both', async () => {
      expect(await read(here)).toEqual({ name: 'Ann' });
      expect(await read(there)).toEqual({ name: 'Ann' });
      expect(source.loads).toBe(1);
    });

    it('evict for both at once', async () => {
      await read(here);
      await read(there);
      source.name = 'Bea';
      await there.caches.evict('users', '1');
      expect(await read(here)).toEqual({ name: 'Bea' });
    });

    it('are not filled by a load of the other that began before an eviction', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const early = read(here);
      await eventually(() => expect(source.running).toBe(1));
      source.name = 'Bea';
      await there.caches.evict('users', '1');
      open();
      expect(await early).toEqual({ name: 'Ann' });
      expect(await read(there)).toEqual({ name: 'Bea' });
      expect(await read(here)).toEqual({ name: 'Bea' });
    });

    it('keep null, which the store beneath refuses', async () => {
      let loads = 0;
      const missing: CacheSpec<null> = { cache: 'absent', ttl: '5m' };
      const nothing = () => Promise.resolve((loads++, null));
      expect(await here.caches.load(missing, '1', nothing)).toBeNull();
      expect(await there.caches.load(missing, '1', nothing)).toBeNull();
      expect(loads).toBe(1);
    });

    it('load what they cannot read, and serve it from then on', async () => {
      const ticket = await here.store.open('users:1');
      await here.store.put(ticket, { bytes: Buffer.from('not of this Node') }, 60_000);
      expect(await read(here)).toEqual({ name: 'Ann' });
      await here.caches.evict('users', '1');
      expect(await read(here)).toEqual({ name: 'Ann' });
      expect(await read(there)).toEqual({ name: 'Ann' });
      expect(source.loads).toBe(2);
      expect(await metric('cache_requests_total{cache="users",result="unreadable"} 2')).toBe(true);
    });
  });

  describe('single flight in the fleet', () => {
    const stampede = (spec: CacheSpec<User>) =>
      Promise.all(Array.from({ length: 1000 }, (_, n) => read(n % 2 ? here : there, spec)));

    it('loads a cold key once for 1,000 callers of two instances', async () => {
      source.gate = sleep(200);
      const names = (await stampede(inFleet)).map(({ name }) => name);
      expect(new Set(names)).toEqual(new Set(['Ann']));
      expect(source.loads).toBe(1);
    });

    it('is asked for: without it each instance loads once', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const answers = stampede(users);
      await eventually(() => expect(source.running).toBe(2));
      open();
      await answers;
      expect(source.loads).toBe(2);
    });

    it('gives who waited what the other has loaded, and counts it', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const first = read(here, inFleet);
      await eventually(() => expect(source.running).toBe(1));
      const claim = jest.spyOn(there.store, 'claim');
      const second = read(there, inFleet);
      await eventually(() => expect(claim.mock.calls.length).toBeGreaterThan(1));
      open();
      expect(await Promise.all([first, second])).toEqual([{ name: 'Ann' }, { name: 'Ann' }]);
      expect(source.loads).toBe(1);
      expect(await metric('cache_fleet_waits_total{cache="users",outcome="found"} 1')).toBe(true);
    });

    it('passes the turn on where a load fails', async () => {
      const { closed, open } = gate();
      let began = false;
      const failing = here.caches.load(inFleet, '1', async () => {
        began = true;
        await closed;
        throw new Error('database away');
      });
      await eventually(() => began);
      const claim = jest.spyOn(there.store, 'claim');
      const waiting = read(there, inFleet);
      await eventually(() => expect(claim).toHaveBeenCalled());
      open();
      await expect(failing).rejects.toThrow('database away');
      expect(await waiting).toEqual({ name: 'Ann' });
      expect(source.loads).toBe(1);
    });

    it('does not wait for ever for an instance that died', async () => {
      await here.store.claim(await here.store.open('users:1'), 600_000);
      const began = performance.now();
      expect(await read(there, inFleet)).toEqual({ name: 'Ann' });
      expect(performance.now() - began).toBeGreaterThan(2_900);
      expect(await metric('cache_fleet_waits_total{cache="users",outcome="tired"} 1')).toBe(true);
      // Stored all the same.
      expect(await read(there, inFleet)).toEqual({ name: 'Ann' });
      expect(source.loads).toBe(1);
    });

    it('does not make a load wait for one that began before an eviction', async () => {
      const { closed, open } = gate();
      source.gate = closed;
      const early = read(here, inFleet);
      await eventually(() => expect(source.running).toBe(1));
      source.name = 'Bea';
      await there.caches.evict('users', '1');
      source.gate = Promise.resolve();
      expect(await read(there, inFleet)).toEqual({ name: 'Bea' });
      open();
      await early;
      expect(await read(here, inFleet)).toEqual({ name: 'Bea' });
    });

    it('needs no store: without one each instance loads', async () => {
      await set.kill('redis');
      expect(await read(here, inFleet)).toEqual({ name: 'Ann' });
      await set.start('redis');
    });
  });

  describe.each(['killed', 'silent'] as const)('while Redis is %s', (how) => {
    const lose = () => (how === 'killed' ? set.kill('redis') : set.pause('redis'));
    const bring = () => (how === 'killed' ? set.start('redis') : set.resume('redis'));
    const back = async (): Promise<void> => {
      await eventually(
        async () => {
          const before = source.loads;
          await read(here);
          await read(there);
          expect(source.loads).toBe(before);
        },
        { timeoutMs: 20_000 },
      );
    };

    it('every call is answered from behind the cache, and all comes back by itself', async () => {
      await read(here);
      await lose();
      source.name = 'Bea';
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, n) => read(here, n % 2 ? users : inFleet, String(n % 20))),
      );
      expect(new Set(answers.map(({ name }) => name))).not.toContain(undefined);
      for (let n = 0; n < 50; n++) await read(here, users, `later ${n}`);
      await eventually(async () => expect(await metric('redis_available 0')).toBe(true));
      expect(await register.metrics()).toMatch(/cache_store_errors_total\{operation="get"\} [1-9]/);
      await here.caches.evict('users', '1');
      expect(await read(here)).toEqual({ name: 'Bea' });

      await bring();
      await back();
      expect(await read(here)).toEqual({ name: 'Bea' });
      await eventually(async () => expect(await metric('redis_available 1')).toBe(true));
      await eventually(async () => expect(await metric('cache_pending_evictions 0')).toBe(true));
    });

    it('what was evicted meanwhile is gone for the other instance too, once it is back', async () => {
      await read(there);
      await lose();
      source.name = 'Bea';
      await here.caches.evict('users', '1');
      await bring();
      await eventually(async () => expect(await read(there)).toEqual({ name: 'Bea' }), {
        timeoutMs: 20_000,
      });
      await back();
    });
  });
});
