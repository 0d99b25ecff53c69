import { RetryBudget } from './retry-budget.ts';

const spendAll = (budget: RetryBudget, now: number) => {
  let spent = 0;
  while (budget.spend(now)) spent++;
  return spent;
};

describe('the retry budget', () => {
  it('has a reserve for a quiet service', () => {
    expect(spendAll(new RetryBudget(0), 0)).toBe(100);
  });

  it('earns a fifth of the requests once the reserve is gone', () => {
    const budget = new RetryBudget(0);
    spendAll(budget, 0);
    for (let n = 0; n < 100; n++) budget.onRequest();
    expect(spendAll(budget, 0)).toBeGreaterThanOrEqual(19);
    expect(spendAll(budget, 0)).toBe(0);
  });

  it('refills with time, never above the reserve', () => {
    const budget = new RetryBudget(0);
    spendAll(budget, 0);
    expect(spendAll(budget, 1_000)).toBe(10);
    expect(spendAll(budget, 3_600_000)).toBe(100);
  });
});
