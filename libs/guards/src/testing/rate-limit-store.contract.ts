import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Consumed, Quota, RateLimitStore } from '../rate-limits/rate-limit-store.ts';

/** One store, fresh, and how time passes for it. */
export interface StoreUnderTest {
  store: RateLimitStore;
  /** Where the adapter counts for several processes: the store of another one. */
  elsewhere?: RateLimitStore;
  /** Lets time pass: a fake clock, or a real wait. */
  advance: (ms: number) => Promise<void> | void;
  close?: () => Promise<void> | void;
}

/**
 * What `RateLimitStore` guarantees, against any adapter; with `shared` also that processes count together, for which `create`
 * gives a store `elsewhere`.
 */
export function rateLimitStoreContract(
  name: string,
  create: () => Promise<StoreUnderTest> | StoreUnderTest,
  options: { shared?: boolean } = {},
): void {
  describe(`rate-limit store: ${name}`, () => {
    const tenInTwoSeconds: Quota = { limit: 10, window_seconds: 2 };
    let subject: StoreUnderTest;
    let key: string;

    beforeEach(async () => {
      subject = await create();
      key = `key-${Math.random()}`;
    });
    afterEach(async () => subject.close?.());

    const consume = async (
      times: number,
      cost = 1,
      quota = tenInTwoSeconds,
    ): Promise<Consumed[]> => {
      const answers: Consumed[] = [];
      for (let i = 0; i < times; i += 1)
        answers.push(await subject.store.consume(key, cost, quota));
      return answers;
    };
    const allowed = (answers: Consumed[]) => answers.filter((answer) => answer.allowed).length;

    it('allows as many at once as the limit says, and no more', async () => {
      const answers = await consume(12);
      expect(answers.slice(0, 10).every((answer) => answer.allowed)).toBe(true);
      expect(answers[0]?.remaining).toBe(9);
      expect(answers[9]?.remaining).toBe(0);
      expect(answers[11]).toMatchObject({ allowed: false, remaining: 0 });
    });

    it('of parallel calls allows exactly those that fit', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, async () => subject.store.consume(key, 1, tenInTwoSeconds)),
      );
      expect(allowed(answers)).toBe(10);
    });

    it('gives the quota back evenly over the window', async () => {
      await consume(10);
      await subject.advance(1050);
      expect(allowed(await consume(10))).toBe(5);
    });

    it('has the whole quota back after a window', async () => {
      await consume(10);
      await subject.advance(2050);
      expect(allowed(await consume(11))).toBe(10);
    });

    it('takes nothing for a refused call', async () => {
      await consume(10);
      await consume(100);
      await subject.advance(1050);
      expect(allowed(await consume(10))).toBe(5);
    });

    it('says when the refused cost would be allowed, and when the quota is whole', async () => {
      await consume(10);
      const [refused] = await consume(1, 10);
      expect(refused).toMatchObject({ allowed: false, retryAfterSeconds: 2, resetSeconds: 2 });
      await subject.advance((refused?.retryAfterSeconds ?? 0) * 1000 + 50);
      expect(allowed(await consume(1, 10))).toBe(1);
    });

    it('takes the cost of a call from the quota', async () => {
      const [first, second, third] = await consume(3, 4);
      expect(first).toMatchObject({ allowed: true, remaining: 6 });
      expect(second).toMatchObject({ allowed: true, remaining: 2 });
      expect(third).toMatchObject({ allowed: false, remaining: 2 });
    });

    it('never allows a cost above the limit', async () => {
      expect(allowed(await consume(1, 11))).toBe(0);
      expect(allowed(await consume(10))).toBe(10);
    });

    it('counts each key for itself', async () => {
      await consume(10);
      key = `${key}-other`;
      expect(allowed(await consume(10))).toBe(10);
    });

    it('keeps a limit that does not divide its window', async () => {
      expect(allowed(await consume(10, 1, { limit: 7, window_seconds: 3 }))).toBe(7);
    });

    if (options.shared !== true) return;
    const elsewhere = () => {
      if (subject.elsewhere === undefined) throw new Error('there is no store elsewhere');
      return subject.elsewhere;
    };

    it('counts what another process let through', async () => {
      await consume(6);
      const answer = await elsewhere().consume(key, 1, tenInTwoSeconds);
      expect(answer).toMatchObject({ allowed: true, remaining: 3 });
      expect(allowed(await consume(10))).toBe(3);
      expect(await elsewhere().consume(key, 1, tenInTwoSeconds)).toMatchObject({ allowed: false });
    });

    it('of parallel calls in two processes allows exactly those that fit', async () => {
      const stores = [subject.store, elsewhere()];
      const answers = await Promise.all(
        Array.from({ length: 60 }, async (_, i) =>
          (stores[i % 2] as RateLimitStore).consume(key, 1, tenInTwoSeconds),
        ),
      );
      expect(allowed(answers)).toBe(10);
    });
  });
}
