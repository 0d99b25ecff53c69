import { describe, expect, it } from '@jest/globals';

import type { BrokerRecord } from './event-broker.ts';
import { SettledPrefix } from './settled-prefix.ts';

const at = (offset: number) => ({ offset: BigInt(offset) }) as BrokerRecord;

describe('what a group may commit', () => {
  it('is nothing while the first record is open', () => {
    const [first, second] = [at(5), at(6)];
    const prefix = new SettledPrefix([first, second]);
    prefix.settle(second);
    expect(prefix.next()).toBeUndefined();
    prefix.settle(first);
    expect(prefix.next()).toBe(7n);
  });

  it('ends before the first open record, whatever is settled behind it', () => {
    const records = [at(5), at(6), at(9), at(10)];
    const prefix = new SettledPrefix(records);
    for (const index of [3, 0, 1]) prefix.settle(records[index]!);
    expect(prefix.next()).toBe(7n);
  });

  it('is everything once all is settled, gaps between offsets or not', () => {
    const prefix = new SettledPrefix([at(5), at(9)]);
    prefix.settleAll();
    expect(prefix.next()).toBe(10n);
    expect(prefix.next()).toBe(10n);
  });
});
