import { setTimeout as sleep } from 'node:timers/promises';

import {
  describeWithEngines,
  ENGINES_START_MS,
  engineSet,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'redis';

import { rateLimitStoreContract } from '../../testing/rate-limit-store.contract.ts';
import {
  type RedisLimits,
  redisLimits,
  type RedisLimitsOptions,
} from '../../testing/redis-limits.ts';
import type { Consumed, Quota } from '../rate-limit-store.ts';
import { lotOf, overshootOf } from './lot.ts';

const A_THOUSAND_A_DAY: Quota = { limit: 1_000, window_seconds: 86_400 };
const A_THOUSAND_A_SECOND: Quota = { limit: 1_000, window_seconds: 1 };

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  const opened: RedisLimits[] = [];
  beforeAll(async () => {
    set = await engineSet(['redis']);
  }, ENGINES_START_MS);
  afterAll(() => set.end());
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((limits) => limits.close()));
  });

  const open = async (options?: RedisLimitsOptions) => {
    const limits = await redisLimits(set.ports.redis, options);
    opened.push(limits);
    return limits;
  };
  const openAll = (count: number) => Promise.all(Array.from({ length: count }, () => open()));
  let keys = 0;
  const freshKey = () => `key-${(keys += 1)}`;

  rateLimitStoreContract(
    'Redis',
    async () => ({
      store: (await open()).store,
      elsewhere: (await open()).store,
      advance: (ms) => sleep(ms),
    }),
    { shared: true },
  );

  describe('shared by processes', () => {
    it('counts by the clock of Redis, whatever those of the processes say', async () => {
      const stores = [
        await open({ now: () => performance.now() + 1e9 }),
        await open({ now: () => performance.now() - 1e6 }),
      ];
      const key = freshKey();
      const answers: Consumed[] = [];
      for (let i = 0; i < 20; i += 1) {
        const { store } = stores[i % 2]!;
        answers.push(await store.consume(key, 1, { limit: 10, window_seconds: 3_600 }));
      }
      expect(answers.map(({ allowed }) => allowed)).toEqual([
        ...Array<boolean>(10).fill(true),
        ...Array<boolean>(10).fill(false),
      ]);
      expect(answers[9]?.remaining).toBe(0);
      expect(answers[9]?.resetSeconds).toBeGreaterThan(3_500);
      expect(answers[9]?.resetSeconds).toBeLessThanOrEqual(3_600);
      expect(answers[10]?.retryAfterSeconds).toBeGreaterThan(260);
      expect(answers[10]?.retryAfterSeconds).toBeLessThanOrEqual(360);
    });

    it('asks once for all policies of a request, and for other requests with it', async () => {
      const { store, asked } = await open();
      const quota = { limit: 10, window_seconds: 60 };
      const answers = await Promise.all(
        ['address', 'principal', 'route'].flatMap((name) =>
          ['one', 'other'].map(async (subject) => store.consume(`${name}|${subject}`, 1, quota)),
        ),
      );
      expect(answers.every(({ allowed }) => allowed)).toBe(true);
      expect(asked()).toBe(1);
    });

    it('serves a key in use from lots, without asking', async () => {
      const { store, asked } = await open();
      const key = freshKey();
      let atOnce = 0;
      for (let i = 0; i < 500; i += 1) {
        const answer = store.consume(key, 1, A_THOUSAND_A_DAY);
        if (!(answer instanceof Promise)) atOnce += 1;
        else await answer;
        // What has been posted goes out between two calls.
        if (i % 5 === 0) await sleep(1);
      }
      expect(atOnce).toBeGreaterThan(300);
      expect(asked()).toBeLessThan(200);
    });

    it('says what remains and when it is whole as if there were no lots', async () => {
      const { store } = await open();
      const key = freshKey();
      const answers: Consumed[] = [];
      for (let i = 0; i < 100; i += 1) answers.push(await store.consume(key, 1, A_THOUSAND_A_DAY));
      expect(answers.map(({ remaining }) => remaining)).toEqual(
        Array.from({ length: 100 }, (_, i) => 999 - i),
      );
      // 86.4 s a call, and the test takes fewer.
      expect(answers[99]?.resetSeconds).toBeGreaterThan(8_600);
      expect(answers[99]?.resetSeconds).toBeLessThanOrEqual(8_640);
    });

    it('asks for every call of a small limit', async () => {
      const { store, asked } = await open();
      const key = freshKey();
      for (let i = 0; i < 20; i += 1)
        await store.consume(key, 1, { limit: 399, window_seconds: 60 });
      expect(asked()).toBe(20);
    });

    it('gives back what it holds and does not spend', async () => {
      const [busy, other] = (await openAll(2)) as [RedisLimits, RedisLimits];
      const key = freshKey();
      for (let i = 0; i < 12; i += 1) await busy.store.consume(key, 1, A_THOUSAND_A_DAY);
      await eventually(async () => {
        // A cost that does not fit takes nothing.
        expect(await other.store.consume(key, 1_000, A_THOUSAND_A_DAY)).toMatchObject({
          remaining: 988,
        });
      });
    });

    it('gives back what it holds when it ends', async () => {
      const [ending, other] = (await openAll(2)) as [RedisLimits, RedisLimits];
      const key = freshKey();
      for (let i = 0; i < 12; i += 1) await ending.store.consume(key, 1, A_THOUSAND_A_DAY);
      await ending.store.close();
      expect(await spendAll(other, key)).toBe(988);
    });

    it('keeps from others one lot a process at most', async () => {
      const all = (await openAll(4)) as [RedisLimits, ...RedisLimits[]];
      const key = freshKey();
      await Promise.all(all.slice(1).map((limits) => warmUp(limits, key, 20)));
      const spent = await spendAll(all[0], key);
      expect(spent).toBeGreaterThanOrEqual(1_000 - 60 - 3 * lotOf(1, A_THOUSAND_A_DAY));
      expect(spent).toBeLessThanOrEqual(1_000 - 60);
    });

    it('lets no more pass than the limit and a lot a process, though all hold lots from before', async () => {
      const all = await openAll(4);
      const key = freshKey();
      await Promise.all(all.map((limits) => warmUp(limits, key, 20, A_THOUSAND_A_SECOND)));
      // The counter in Redis is whole again, and the lots are still held.
      await sleep(300);
      const began = performance.now();
      const passed = (await Promise.all(all.map((limits) => burst(limits, key, 1_500)))).flat();
      const seconds = (performance.now() - began) / 1_000;
      const bound = overshootOf(4, A_THOUSAND_A_SECOND);
      expect(bound).toBe(40);
      const allowed = allowedOf(passed);
      expect(allowed).toBeLessThanOrEqual(1_000 + seconds * 1_000 + bound);
      expect(allowed).toBeGreaterThanOrEqual(1_000 - bound);
    });

    it('lets through what the limit says, and no more than the bound on top, under a steady rush', async () => {
      const all = await openAll(4);
      const key = freshKey();
      const rush = () => Promise.all(all.map((limits) => burst(limits, key, 300)));
      const began = performance.now();
      const answers: Consumed[] = [];
      for (let round = 0; round < 20; round += 1) {
        answers.push(...(await rush()).flat());
        await sleep(40);
      }
      // A refusal is repeated for 100 ms without asking.
      await sleep(120);
      const beforeLast = (performance.now() - began) / 1_000;
      answers.push(...(await rush()).flat());
      const seconds = (performance.now() - began) / 1_000;
      const bound = overshootOf(4, A_THOUSAND_A_SECOND);
      expect(allowedOf(answers)).toBeLessThanOrEqual(1_000 + seconds * 1_000 + bound);
      expect(allowedOf(answers)).toBeGreaterThanOrEqual(1_000 + beforeLast * 1_000 - bound - 1);
    });

    it('counts a policy that changes while an older version of it is still served', async () => {
      const { store } = await open();
      const key = freshKey();
      const [old, changed]: [Quota, Quota] = [
        A_THOUSAND_A_DAY,
        { limit: 2_000, window_seconds: 86_400 },
      ];
      for (let i = 0; i < 30; i += 1) {
        await store.consume(key, 1, old);
        await store.consume(key, 2, changed);
      }
      const { remaining } = await store.consume(key, 1, old);
      expect(remaining).toBe(1_000 - 30 - 30 - 1);
    });

    it('runs its script though Redis has forgotten it', async () => {
      const { store } = await open();
      const key = freshKey();
      const quota = { limit: 10, window_seconds: 3_600 };
      await store.consume(key, 1, quota);
      await withClient((client) => client.scriptFlush());
      expect(await store.consume(key, 1, quota)).toMatchObject({ allowed: true, remaining: 8 });
    });

    it('names its keys by service and version, and lets them expire', async () => {
      const { store } = await open({ service: 'orders' });
      await store.consume('named', 1, { limit: 10, window_seconds: 10 });
      await withClient(async (client) => {
        const left = await client.pTTL('gatehouse:orders:limit:v1:named');
        expect(left).toBeGreaterThan(500);
        expect(left).toBeLessThanOrEqual(2_000);
      });
    });

    it('needs no more of Redis than its few commands on its own keys', async () => {
      await withClient((client) =>
        client.sendCommand([
          ...['ACL', 'SETUSER', 'orders', 'reset', 'on', '>secret', '~gatehouse:orders:*', '-@all'],
          ...['+ping', '+info', '+evalsha', '+eval', '+get', '+set', '+time'],
        ]),
      );
      const user = { username: 'orders', password: 'secret' };
      const quota = { limit: 10, window_seconds: 60 };
      const own = await open({ service: 'orders', ...user });
      expect(await own.store.consume(freshKey(), 1, quota)).toMatchObject({ remaining: 9 });
      const foreign = await open({ service: 'payments', ...user });
      await expect(
        foreign.link.call((client) => client.get('gatehouse:payments:x')),
      ).rejects.toThrow('NOPERM');
      expect(await foreign.store.consume(freshKey(), 1, quota)).toMatchObject({ remaining: 9 });
    });
  });

  const withClient = async <T>(use: (client: ReturnType<typeof createClient>) => Promise<T>) => {
    const client = createClient({ url: set.env.REDIS_URL as string });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.disconnect();
    }
  };
});

/** Lets a process hold a lot of the key. */
async function warmUp(
  { store }: RedisLimits,
  key: string,
  calls: number,
  quota = A_THOUSAND_A_DAY,
) {
  for (let i = 0; i < calls; i += 1) await store.consume(key, 1, quota);
}

/** All at once. */
function burst({ store }: RedisLimits, key: string, calls: number): Promise<Consumed[]> {
  return Promise.all(
    Array.from({ length: calls }, async () => store.consume(key, 1, A_THOUSAND_A_SECOND)),
  );
}

/** One call after the other until one is refused. @returns how many were allowed */
async function spendAll({ store }: RedisLimits, key: string): Promise<number> {
  let allowed = 0;
  while ((await store.consume(key, 1, A_THOUSAND_A_DAY)).allowed) allowed += 1;
  return allowed;
}

function allowedOf(answers: readonly Consumed[]): number {
  return answers.filter(({ allowed }) => allowed).length;
}
