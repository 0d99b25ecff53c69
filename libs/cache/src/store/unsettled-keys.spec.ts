import { describe, expect, it } from '@jest/globals';

import { UnsettledKeys } from './unsettled-keys.ts';

describe('a key that changed', () => {
  it('is unsettled until its last change is', () => {
    const keys = new UnsettledKeys();
    const first = keys.begin('a');
    const second = keys.begin('a');
    keys.settle('a', first);
    expect(keys.has('a')).toBe(true);
    keys.settle('a', second);
    expect(keys.has('a')).toBe(false);
  });

  it('counts as changed with all others when there are too many to know', () => {
    const keys = new UnsettledKeys();
    for (let index = 0; index <= 10_000; index++) keys.begin(`k${index}`);
    expect(keys.overflown).toBe(true);
    expect(keys.has('never changed')).toBe(true);
    const before = keys.snapshot();
    const late = keys.begin('late');
    keys.settleOverflow(before);
    expect(keys.has('never changed')).toBe(false);
    expect(keys.has('late')).toBe(true);
    keys.settle('late', late);
    expect(keys.size).toBe(0);
  });
});
