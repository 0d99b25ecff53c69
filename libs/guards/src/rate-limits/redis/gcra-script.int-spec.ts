import {
  describeWithEngines,
  ENGINES_START_MS,
  engineSet,
  type EngineSet,
} from '@gatehouse/testing';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createClient } from 'redis';

import { gcra, intervalOf, windowOf } from '../gcra.ts';
import type { Consumed } from '../rate-limit-store.ts';
import { argumentsOf, type Charge, gcraSource, grantsOf } from './gcra-script.ts';

/** The script with a clock that the test sets: the last argument. */
const TESTED = gcraSource('local now = tonumber(ARGV[#ARGV])');

describeWithEngines(['redis'], () => {
  let set: EngineSet;
  let client: ReturnType<typeof createClient>;
  beforeAll(async () => {
    set = await engineSet(['redis']);
    client = createClient({ url: set.env.REDIS_URL as string });
    await client.connect();
  }, ENGINES_START_MS);
  afterAll(async () => {
    await client.disconnect();
    await set.end();
  });

  const run = async (now: number, charges: Charge[]) => {
    const answer = await client.eval(TESTED, {
      keys: charges.map(({ name }) => name),
      arguments: [...argumentsOf(charges), String(now)],
    });
    return grantsOf(answer, charges);
  };
  let names = 0;
  const freshName = () => `tested:${(names += 1)}`;

  it('counts as the algorithm in TypeScript does, whatever comes when', async () => {
    const quotas = fc.record({
      limit: fc.integer({ min: 1, max: 20_000 }),
      window_seconds: fc.integer({ min: 1, max: 86_400 }),
    });
    const steps = fc.array(
      fc.record({
        /** As a share of the window. */
        after: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.3, noNaN: true })),
        calls: fc.integer({ min: 1, max: 40 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        quotas,
        fc.integer({ min: 1, max: 30 }),
        steps,
        async (quota, cost, todo) => {
          const name = freshName();
          const terms = { name, increment: cost * intervalOf(quota), window: windowOf(quota) };
          let now = 28_000_000_000;
          let tat = 0;
          for (const { after, calls } of todo) {
            now += Math.round(after * windowOf(quota));
            const expected: Consumed[] = [];
            for (let call = 0; call < calls; call += 1) {
              const next = gcra(tat, now, cost, quota);
              tat = next.tat;
              expected.push(next.consumed);
            }
            const [grant] = await run(now, [{ ...terms, calls, atLeast: 0 }]);
            expect(grant?.calls).toBe(expected.filter(({ allowed }) => allowed).length);
            expect(grant?.used).toBeCloseTo(tat - now, 2);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('undoes with a return what was granted and not used', async () => {
    const limit = 1000;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: limit }),
        fc.integer({ min: 1, max: limit }),
        async (taken, returned) => {
          const charge = { name: freshName(), increment: 60, window: 60_000, atLeast: 0 };
          const at = 28_000_000_000;
          await run(at, [{ ...charge, calls: taken }]);
          await run(at, [{ ...charge, calls: -Math.min(taken, returned) }]);
          const [rest] = await run(at, [{ ...charge, calls: 2 * limit }]);
          expect(rest?.calls).toBe(limit - taken + Math.min(taken, returned));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('never has more than the limit after a return', async () => {
    const charge = { name: freshName(), increment: 100, window: 10_000, atLeast: 0 };
    await run(28_000_000_000, [{ ...charge, calls: 10 }]);
    await run(28_000_100_000, [{ ...charge, calls: -10 }]);
    const [rest] = await run(28_000_100_000, [{ ...charge, calls: 500 }]);
    expect(rest?.calls).toBe(100);
  });

  it('goes on from what a caller knows, where that is more', async () => {
    const charge = { name: freshName(), increment: 100, window: 10_000 };
    const at = 28_000_000_000;
    const [known] = await run(at, [{ ...charge, calls: 100, atLeast: 4_000 }]);
    expect(known).toEqual({ calls: 60, used: 10_000 });
    const [less] = await run(at, [{ ...charge, calls: 1, atLeast: 4_000 }]);
    expect(less?.calls).toBe(0);
  });

  it('is not held up for longer than a window by a clock that has gone back', async () => {
    const charge = { name: freshName(), increment: 100, window: 10_000, calls: 100, atLeast: 0 };
    await run(28_000_000_000, [charge]);
    const anHourEarlier = 28_000_000_000 - 3_600_000;
    expect(await run(anHourEarlier, [charge])).toEqual([{ calls: 0, used: 10_000 }]);
    expect(await run(anHourEarlier + 10_000, [charge])).toEqual([{ calls: 100, used: 10_000 }]);
  });

  it('counts each of several counters for itself', async () => {
    const charge = { increment: 1_000, window: 10_000, atLeast: 0 };
    const [one, other] = [freshName(), freshName()];
    const at = 28_000_000_000;
    const grants = await run(at, [
      { ...charge, name: one, calls: 4 },
      { ...charge, name: other, calls: 12 },
      { ...charge, name: one, calls: 9 },
    ]);
    expect(grants.map(({ calls }) => calls)).toEqual([4, 10, 6]);
  });

  it('leaves counters that expire once they are whole', async () => {
    const charge = { name: freshName(), increment: 1_000, window: 10_000, atLeast: 0 };
    await run(28_000_000_000, [{ ...charge, calls: 4 }]);
    const left = await client.pTTL(charge.name);
    expect(left).toBeGreaterThan(3_000);
    expect(left).toBeLessThanOrEqual(5_000);
  });
});
