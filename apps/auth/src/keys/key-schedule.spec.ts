import { describe, expect, it } from '@jest/globals';

import { publishedAt, signingAt } from './key-schedule.ts';

const key = (kid: string, at: number) => ({ kid, signsFrom: new Date(at) });
const keys = [key('old', 0), key('now', 100_000), key('next', 200_000)];
const names = (found: { kid: string }[]) => found.map(({ kid }) => kid);

describe('signing keys', () => {
  it('sign from their time until that of the next', () => {
    expect(signingAt(keys, 99_999)?.kid).toBe('old');
    expect(signingAt(keys, 100_000)?.kid).toBe('now');
    expect(signingAt(keys, 1_000_000)?.kid).toBe('next');
    expect(signingAt(keys, -1)).toBeUndefined();
  });

  it('are published before they sign, and until the last token they signed has expired', () => {
    expect(names(publishedAt(keys, 100_000, 60_000))).toEqual(['old', 'now', 'next']);
    expect(names(publishedAt(keys, 159_999, 60_000))).toEqual(['old', 'now', 'next']);
    expect(names(publishedAt(keys, 160_000, 60_000))).toEqual(['now', 'next']);
    expect(names(publishedAt(keys, 10_000_000, 60_000))).toEqual(['next']);
  });
});
