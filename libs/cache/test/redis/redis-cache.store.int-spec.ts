import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { Logger } from '@nestjs/common';

import type { RedisLink } from '../../src/redis/redis-link.ts';
import type { CacheStore } from '../../src/store/cache-store.ts';
import { RedisCacheStore } from '../../src/store/redis-cache.store.ts';
import { describeCacheStore } from '../../src/testing/cache-store.suite.ts';
import { asOrders, linkTo, SECURED } from '../fixtures/redis-engine.ts';

const MINUTE = 60_000;
const value = (text: string, version?: number) => ({ bytes: Buffer.from(text), version });
const textAt = async (store: CacheStore, key: string) => {
  const found = await store.get(key);
  return found === undefined ? undefined : Buffer.from(found.bytes).toString();
};

/** As the service of `docker/engines/redis/users.acl`, which may not ask for KEYS, SCAN or FLUSHDB. */
describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let admin: RedisLink;
  const links: RedisLink[] = [];

  const connected = async (): Promise<RedisLink> => {
    const link = linkTo(asOrders(set.ports.redis));
    links.push(link);
    await link.connect();
    return link;
  };
  const instance = async (version = '1.0.0') => new RedisCacheStore(await connected(), version);
  const administratorOf = async ({ ports }: EngineSet): Promise<RedisLink> => {
    const link = linkTo(asOrders(ports.redis, { username: 'admin', password: 'admin' }));
    await link.connect();
    return link;
  };
  const keys = async (): Promise<string[]> => admin.call((client) => client.keys('*'));

  beforeAll(async () => {
    // Redis is restarted here.
    Logger.overrideLogger(false);
    set = await engineSet(['redis'], { settings: SECURED });
    admin = await administratorOf(set);
  }, ENGINES_START_MS);
  afterAll(async () => {
    await admin.close();
    await set.end();
  });
  beforeEach(() => admin.call((client) => client.flushAll()));
  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.close()));
  });

  describeCacheStore('Redis, of one instance', async () => [await instance()]);
  describeCacheStore('Redis, of two instances', async () => [await instance(), await instance()]);

  describe('the Redis store', () => {
    it('may not ask for what it never asks for', async () => {
      const link = await connected();
      for (const command of [['KEYS', '*'], ['FLUSHDB'], ['FLUSHALL'], ['SCAN', '0']]) {
        await expect(link.call((client) => client.sendCommand(command))).rejects.toThrow('NOPERM');
      }
    });

    it('asks for what the least-privileged user may, and for keys under its own prefix', async () => {
      const store = await instance();
      await admin.call((client) => client.sendCommand(['CONFIG', 'RESETSTAT']));
      await store.put(await store.open('users:1'), value('one', 1), MINUTE);
      await store.get('users:1');
      await store.release((await store.claim(await store.open('users:1'), MINUTE))!);
      await store.evict('users:1');
      await store.put(await store.open('users:2'), value('two'), MINUTE);
      const all = await keys();
      expect(all.length).toBeGreaterThan(2);
      for (const key of all) expect(key).toMatch(/^gatehouse:orders:cache:[0-9a-f]{12}:/);
      await store.clear();
      const stats = await admin.call((client) => client.info('commandstats'));
      const asked = [...stats.matchAll(/^cmdstat_([\w|]+):/gm)].map(([, name]) => name);
      expect(asked).toEqual(expect.arrayContaining(['mget', 'set', 'del', 'evalsha']));
      // Of the administrator's, who looks at the keys here.
      const ours = asked.filter((name) => name !== 'keys');
      for (const name of ['keys', 'scan', 'flushdb', 'flushall', 'multi']) {
        expect(ours).not.toContain(name);
      }
    });

    it('lets everything it stores expire', async () => {
      const store = await instance();
      await store.put(await store.open('a'), value('one', 1), MINUTE);
      await store.claim(await store.open('a'), MINUTE);
      await store.clear();
      for (const key of await keys()) {
        expect([key, await admin.call((client) => client.pTTL(key))]).toEqual([
          key,
          expect.any(Number),
        ]);
        expect(await admin.call((client) => client.pTTL(key))).toBeGreaterThan(0);
      }
    });

    it('tells halves of characters apart', async () => {
      const store = await instance();
      await store.put(await store.open('\ud800'), value('high'), MINUTE);
      expect(await store.get('\ud801')).toBeUndefined();
      expect(await textAt(store, '\ud800')).toBe('high');
    });

    it.each([':generation', ':state:', ':value:'])(
      'answers nothing, and nothing old, where Redis dropped %s for want of memory',
      async (entry) => {
        const store = await instance();
        const late = await store.open('a');
        await store.put(await store.open('a'), value('two', 2), MINUTE);
        const [dropped] = (await keys()).filter((name) => name.includes(entry));
        await admin.call((client) => client.del(dropped!));
        expect(await store.get('a')).toBeUndefined();
        expect(await store.put(late, value('one', 1), MINUTE)).not.toBe('stored');
        expect(await store.put(await store.open('a'), value('two', 2), MINUTE)).toBe('stored');
        expect(await textAt(store, 'a')).toBe('two');
      },
    );

    it('takes what it cannot read for nothing', async () => {
      const store = await instance();
      await store.put(await store.open('a'), value('one'), MINUTE);
      const [key] = (await keys()).filter((name) => name.includes(':value:'));
      await admin.call((client) => client.set(key!, '{"id":'));
      expect(await store.get('a')).toBeUndefined();
      await admin.call((client) => client.set(key!, '{"other":"shape"}'));
      expect(await store.get('a')).toBeUndefined();
    });
  });

  describe('of two releases that run at the same time', () => {
    let older: RedisCacheStore;
    let newer: RedisCacheStore;
    beforeEach(async () => {
      older = await instance('1.0.0');
      newer = await instance('2.0.0');
    });
    const fill = async (store: CacheStore, text: string, version?: number) =>
      store.put(await store.open('a'), value(text, version), MINUTE);

    it('none reads what the other stored', async () => {
      expect(await fill(older, 'old shape')).toBe('stored');
      expect(await newer.get('a')).toBeUndefined();
      expect(await fill(newer, 'new shape')).toBe('stored');
      expect(await textAt(older, 'a')).toBe('old shape');
      expect(await textAt(newer, 'a')).toBe('new shape');
    });

    it('each evicts for both', async () => {
      const ticket = await older.open('a');
      await fill(older, 'old shape');
      await fill(newer, 'new shape');
      await newer.evict('a');
      expect(await older.get('a')).toBeUndefined();
      expect(await older.put(ticket, value('stale'), MINUTE)).toBe('evicted');
      await fill(older, 'again');
      await fill(newer, 'again');
      await older.clear();
      expect(await newer.get('a')).toBeUndefined();
      expect(await older.get('a')).toBeUndefined();
    });

    it('none keeps an older version than the other has written', async () => {
      await fill(older, 'two', 2);
      await fill(newer, 'two', 2);
      expect(await textAt(older, 'a')).toBe('two');
      expect(await fill(newer, 'three', 3)).toBe('stored');
      expect(await older.get('a')).toBeUndefined();
      expect(await fill(older, 'two', 2)).toBe('superseded');
      expect(await fill(older, 'three', 3)).toBe('stored');
      expect(await textAt(older, 'a')).toBe('three');
    });
  });

  describe('where another Redis served for a while', () => {
    let second: EngineSet;
    beforeAll(async () => {
      second = await engineSet(['redis'], { settings: SECURED });
    }, ENGINES_START_MS);
    afterAll(() => second.end());

    it('nothing comes back that was evicted there', async () => {
      const settings = { ...asOrders(set.ports.redis) };
      const link = linkTo(settings, { heartbeatMs: 50 });
      links.push(link);
      await link.connect();
      const store = new RedisCacheStore(link, '1.0.0');
      await store.put(await store.open('a'), value('stale'), MINUTE);

      /** What is at the address changes, as in a failover. */
      const moveTo = async (there: EngineSet, from: EngineSet) => {
        const [left, { run }] = [await administratorOf(from), link];
        settings.port = there.ports.redis;
        await left.call((client) => client.sendCommand(['CLIENT', 'KILL', 'USER', 'orders']));
        await left.close();
        await eventually(() => link.available && link.run !== run);
      };
      await moveTo(second, set);
      expect(await store.get('a')).toBeUndefined();
      await store.evict('a');
      await moveTo(set, second);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.put(await store.open('a'), value('fresh'), MINUTE)).toBe('stored');
      expect(await textAt(store, 'a')).toBe('fresh');
    });
  });

  describe('after Redis forgot what it was told', () => {
    it('a ticket from before fills nothing', async () => {
      const store = await instance();
      const ticket = await store.open('a');
      await store.evict('a');
      await admin.call((client) => client.flushAll());
      await store.open('a');
      expect(await store.put(ticket, value('stale'), MINUTE)).toBe('evicted');
    });

    it('nothing comes back that was evicted after it was saved', async () => {
      const store = await instance();
      await store.put(await store.open('a'), value('stale'), MINUTE);
      await admin.call((client) => client.sendCommand(['SAVE']));
      await store.evict('a');
      await set.kill('redis');
      await set.start('redis');
      const after = await instance();
      await admin.close();
      admin = await administratorOf(set);
      // It was saved, and is there.
      expect((await keys()).filter((key) => key.includes(':value:'))).toHaveLength(1);
      expect(await after.get('a')).toBeUndefined();
    });
  });
});
