import { access } from 'node:fs/promises';

import { describe, expect, it } from '@jest/globals';

import { within } from './within.ts';

class TooLate extends Error {}
const tooLate = (ms: number) => new TooLate(`${ms}`);

describe('within', () => {
  it('gives what the promise gives, in time', async () => {
    expect(await within(Promise.resolve('answer'), 20, tooLate)).toBe('answer');
    await expect(within(Promise.reject(new RangeError('no')), 20, tooLate)).rejects.toThrow(
      RangeError,
    );
  });

  it('rejects what takes too long', async () => {
    await expect(within(new Promise(() => undefined), 20, tooLate)).rejects.toThrow(TooLate);
  });

  it('takes an answer that came in while this process was busy for one in time', async () => {
    // Another thread answers while this one is busy; from an immediate on, the loop turns to timers first.
    await new Promise(setImmediate);
    const answer = within(access('/'), 1, tooLate);
    const until = performance.now() + 200;
    while (performance.now() < until);
    await expect(answer).resolves.toBeUndefined();
  });
});
