import { describe, expect, it } from '@jest/globals';

import { lotOf, overshootOf } from './lot.ts';

const perMinute = (limit: number) => ({ limit, window_seconds: 60 });

describe('a lot', () => {
  it.each([
    [5, 1, 0],
    [60, 1, 0],
    [399, 1, 0],
    [400, 1, 4],
    [3000, 1, 30],
    [6000, 1, 60],
    [6000, 7, 8],
    [6000, 100, 0],
    [1_000_000, 1, 10_000],
  ])('of a limit of %i, at a cost of %i, is %i calls', (limit, cost, calls) => {
    expect(lotOf(cost, perMinute(limit))).toBe(calls);
  });

  it('bounds what may pass beyond the limit, by the number of processes', () => {
    expect(overshootOf(2, perMinute(6000))).toBe(120);
    expect(overshootOf(10, perMinute(60))).toBe(0);
  });
});
