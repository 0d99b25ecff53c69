import { clockFinding, readClock } from './examine-clocks.ts';

describe('the clocks', () => {
  it('are compared by the answer that came soonest', async () => {
    const delays = [500, 0, 500];
    const { offsetMs, withinMs } = await readClock(async () => {
      await new Promise((resolve) => setTimeout(resolve, delays.shift()));
      return Date.now() + 60_000;
    });
    expect(Math.abs(offsetMs - 60_000)).toBeLessThanOrEqual(withinMs + 2);
    expect(withinMs).toBeLessThan(250);
  });

  it('are not held for wrong within what a coarse clock leaves open', async () => {
    const { offsetMs, withinMs } = await readClock(
      () => Promise.resolve(Math.floor(Date.now() / 1000) * 1000),
      1_000,
    );
    expect(Math.abs(offsetMs)).toBeLessThanOrEqual(withinMs + 2);
  });

  it.each([
    ['together', 0, 'ok', 'agrees'],
    ['apart by less than half of what is tolerated', -4_000, 'ok', 'agrees'],
    ['apart by more than half', 7_000, 'warning', 'behind'],
    ['apart by more than is tolerated', -25_000, 'problem', 'ahead of'],
  ])('%s are judged so', (_how, offsetMs, state, word) => {
    const finding = clockFinding('PostgreSQL', { offsetMs, withinMs: 3 }, 10_000);
    expect(finding).toMatchObject({ state, what: expect.stringContaining(word) as string });
  });

  it('are not called wrong by a reading that is no better than their difference', () => {
    const reading = { offsetMs: 12_000, withinMs: 11_000 };
    expect(clockFinding('Redis', reading, 10_000).state).toBe('ok');
  });
});
