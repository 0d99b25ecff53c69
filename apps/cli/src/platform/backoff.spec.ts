import { Backoff } from './backoff.ts';

describe('the wait before a restart', () => {
  it('doubles while the process keeps ending, up to a bound', () => {
    const backoff = new Backoff(500, 30_000);
    const waits = Array.from({ length: 9 }, () => backoff.next(100));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('starts over for a process that ran well', () => {
    const backoff = new Backoff(500, 30_000, 60_000);
    backoff.next(10);
    backoff.next(10);
    expect(backoff.next(60_000)).toBe(500);
  });
});
