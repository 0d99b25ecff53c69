import { describe, expect, it } from '@jest/globals';

import { type Duration, jittered, toMilliseconds } from './duration.ts';

describe('a duration', () => {
  it.each<[Duration, number]>([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ])('%s is %d ms', (duration, expected) => expect(toMilliseconds(duration)).toBe(expected));

  it.each(['0s', '-1s', '30', 's', '1e3s', ''])('"%s" is none', (duration) => {
    expect(() => toMilliseconds(duration as Duration)).toThrow('is no duration');
  });
});

describe('a jittered time to live', () => {
  it('is never longer than asked for, nor shorter than four fifths', () => {
    const times = Array.from({ length: 2000 }, () => jittered(10_000));
    expect(Math.max(...times)).toBeLessThanOrEqual(10_000);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(8_000);
  });

  it('spreads what was cached together', () => {
    expect(new Set(Array.from({ length: 100 }, () => jittered(10_000))).size).toBeGreaterThan(50);
  });
});
