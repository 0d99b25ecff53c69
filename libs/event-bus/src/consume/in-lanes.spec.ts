import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { inLanes, Slots } from './in-lanes.ts';

describe('lanes', () => {
  it('keep the order of a key and run keys side by side', async () => {
    const done: string[] = [];
    const items = ['a1', 'b1', 'a2', 'b2', 'a3'];
    await inLanes(
      items,
      (item) => item.charAt(0),
      async (item) => {
        await sleep(item.startsWith('a') ? 10 : 1);
        done.push(item);
      },
    );
    expect(done.filter((item) => item.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(done.indexOf('b2')).toBeLessThan(done.indexOf('a3'));
  });

  it('end at a failure, the others are finished, and the failure is told', async () => {
    const done: string[] = [];
    const working = inLanes(
      ['a1', 'a2', 'b1', 'b2'],
      (item) => item.charAt(0),
      async (item) => {
        await sleep(1);
        if (item === 'a1') throw new Error('a1 failed');
        done.push(item);
      },
    );
    await expect(working).rejects.toThrow('a1 failed');
    expect(done).toEqual(['b1', 'b2']);
  });

  it('share slots: never more at work than there are, a failure gives its slot back', async () => {
    const slots = new Slots(2);
    let now = 0;
    let most = 0;
    const work = (fails: boolean) =>
      slots.use(async () => {
        most = Math.max(most, ++now);
        await sleep(2);
        now -= 1;
        if (fails) throw new Error('no');
      });
    await Promise.allSettled([true, false, true, false, true, false].map(work));
    await work(false);
    expect(most).toBe(2);
  });
});
