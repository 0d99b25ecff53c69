import { describe, expect, it } from '@jest/globals';

import { assignEvenly } from './subscribed-assigner.ts';

const partitions = (topic: string, count: number) =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));
const member = (memberId: string, ...topics: string[]) => ({ memberId, topics: new Set(topics) });

describe('a plan for a group', () => {
  it('is even, and the same whoever makes it', () => {
    const plan = assignEvenly([member('b', 't'), member('a', 't')], partitions('t', 5));
    expect(Object.fromEntries(plan)).toEqual({ a: { t: [0, 2, 4] }, b: { t: [1, 3] } });
  });

  it('gives a partition to none but those that subscribe to its topic', () => {
    const plan = assignEvenly(
      [member('old', 't'), member('new', 't', 'u')],
      [...partitions('t', 2), ...partitions('u', 2)],
    );
    expect(plan.get('old')?.u).toBeUndefined();
    expect(plan.get('new')?.u).toEqual([0, 1]);
  });

  it('has an entry for a member that gets nothing', () => {
    const plan = assignEvenly([member('a', 't'), member('b', 't')], partitions('t', 1));
    expect(plan.get('b')).toEqual({});
  });
});
