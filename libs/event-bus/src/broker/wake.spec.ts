import { describe, expect, it } from '@jest/globals';

import { Wake } from './wake.ts';

const timed = async (work: Promise<void>): Promise<number> => {
  const began = performance.now();
  await work;
  return performance.now() - began;
};

describe('a wake', () => {
  it('ends a sleep when it is rung', async () => {
    const wake = new Wake();
    const sleeping = timed(wake.sleep(10_000));
    wake.ring();
    expect(await sleeping).toBeLessThan(5_000);
  });

  it('is not lost when it is rung before the sleep, and counts once', async () => {
    const wake = new Wake();
    wake.ring();
    wake.ring();
    expect(await timed(wake.sleep(10_000))).toBeLessThan(5_000);
    expect(await timed(wake.sleep(30))).toBeGreaterThanOrEqual(25);
  });
});
