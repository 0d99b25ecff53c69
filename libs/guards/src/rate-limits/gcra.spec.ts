import { describe, expect, it } from '@jest/globals';

import { gcra } from './gcra.ts';

describe('gcra', () => {
  const quota = { limit: 3, window_seconds: 60 };

  // Sums of fractions of milliseconds end a hair above or below the whole second.
  it.each([0, 13_003.131428571429, 13_003.327142857142, 1_763_900_000_000.1])(
    'tells whole seconds as they are, at %d ms of the clock',
    (now) => {
      let tat = 0;
      const resets = [1, 2, 3].map(() => {
        const { tat: next, consumed } = gcra(tat, now, 1, quota);
        tat = next;
        return consumed.resetSeconds;
      });
      expect(resets).toEqual([20, 40, 60]);
      const refused = gcra(tat, now, 1, quota).consumed;
      expect(refused).toEqual({
        allowed: false,
        remaining: 0,
        resetSeconds: 60,
        retryAfterSeconds: 20,
      });
      expect(gcra(tat, now + refused.retryAfterSeconds * 1000, 1, quota).consumed.allowed).toBe(
        true,
      );
    },
  );

  it('rounds a part of a second up', () => {
    const { consumed } = gcra(0, 1_000, 1, { limit: 3, window_seconds: 1 });
    expect(consumed.resetSeconds).toBe(1);
  });
});
