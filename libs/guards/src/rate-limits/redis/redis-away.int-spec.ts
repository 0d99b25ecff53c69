import {
  describeWithEngines,
  ENGINES_START_MS,
  engineSet,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type RedisLimits, redisLimits } from '../../testing/redis-limits.ts';

const TEN_AN_HOUR = { limit: 10, window_seconds: 3_600 };
const A_THOUSAND_A_DAY = { limit: 1_000, window_seconds: 86_400 };
/** What these limits let a command take; a call that must ask waits no longer. */
const COMMAND_TIMEOUT_MS = 1_000;

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let limits: RedisLimits;
  let key: string;
  beforeAll(async () => {
    set = await engineSet(['redis']);
  }, ENGINES_START_MS);
  afterAll(() => set.end());
  beforeEach(async () => {
    key = `key-${Math.random()}`;
    await set.start();
    limits = await openLimits();
  });
  afterEach(() => limits.close());

  const openLimits = () => redisLimits(set.ports.redis, { commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const consume = async (times: number, quota = TEN_AN_HOUR, of = limits) => {
    const answers = [];
    for (let i = 0; i < times; i += 1) answers.push(await of.store.consume(key, 1, quota));
    return answers.filter(({ allowed }) => allowed).length;
  };
  const decidedAlone = () => limits.store.tally.allowedAlone;
  const isBack = () => eventually(() => expect(limits.store.isAlone).toBe(false));

  describe.each([
    ['killed', () => set.kill('redis'), () => set.start()],
    ['paused', () => set.pause('redis'), () => set.resume('redis')],
  ])('where Redis is %s', (_how, lose, bringBack) => {
    it('counts alone, says so, and asks again by itself once it is there', async () => {
      await consume(4);
      expect(limits.store.isAlone).toBe(false);
      const decidedBefore = decidedAlone();
      await lose();
      try {
        const began = performance.now();
        const answer = await limits.store.consume(key, 1, TEN_AN_HOUR);
        // It waits for the one command that is lost, and a busy machine besides.
        expect(performance.now() - began).toBeLessThan(COMMAND_TIMEOUT_MS + 1_000);
        expect(answer).toMatchObject({ allowed: true, remaining: 5 });
        expect(limits.store.isAlone).toBe(true);
        expect(limits.store.consume(key, 1, TEN_AN_HOUR)).toMatchObject({ remaining: 4 });
        expect(decidedAlone()).toBe(decidedBefore + 2);
      } finally {
        await bringBack();
      }
      await isBack();
      const asked = limits.asked();
      // What was counted meanwhile, and before, is not forgotten.
      expect(await limits.store.consume(key, 1, TEN_AN_HOUR)).toMatchObject({ remaining: 3 });
      expect(limits.asked()).toBe(asked + 1);
      expect(await consume(10)).toBe(3);
    });

    it('keeps refusing what was used up, before, meanwhile and after', async () => {
      expect(await consume(12)).toBe(10);
      await lose();
      try {
        await eventually(async () => {
          expect(await consume(12)).toBe(0);
          expect(limits.link.available).toBe(false);
        });
        expect(await consume(12)).toBe(0);
      } finally {
        await bringBack();
      }
      await isBack();
      expect(await consume(12)).toBe(0);
      // And tells the other processes, which know nothing of it.
      const other = await openLimits();
      try {
        expect(await consume(12, TEN_AN_HOUR, other)).toBe(0);
      } finally {
        await other.close();
      }
    });

    it('neither doubles nor forgets calls that were held', async () => {
      const before = await consume(20, A_THOUSAND_A_DAY);
      expect(before).toBe(20);
      await lose();
      let meanwhile: number;
      try {
        meanwhile = await consume(2_000, A_THOUSAND_A_DAY);
      } finally {
        await bringBack();
      }
      expect(before + meanwhile).toBe(1_000);
      await isBack();
      expect(await consume(100, A_THOUSAND_A_DAY)).toBe(0);
    });
  });

  it('answers all that wait while Redis goes away', async () => {
    await set.pause('redis');
    try {
      const answers = await Promise.all(
        Array.from({ length: 300 }, async (_, i) =>
          limits.store.consume(`${key}-${i % 3}`, 1, TEN_AN_HOUR),
        ),
      );
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(30);
    } finally {
      await set.resume('redis');
    }
    await isBack();
  });

  it('goes on from what a process knows where Redis comes back without its counters', async () => {
    await consume(7);
    await set.wipe('redis');
    await eventually(() => expect(limits.link.available).toBe(false));
    await set.start();
    await isBack();
    expect(await limits.store.consume(key, 1, TEN_AN_HOUR)).toMatchObject({ remaining: 2 });
  });
});
