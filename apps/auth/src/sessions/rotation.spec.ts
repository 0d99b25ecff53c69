import { describe, expect, it } from '@jest/globals';

import { afterRotation, judge } from './rotation.ts';

const NOW = 1_000_000;
const ago = (ms: number) => new Date(NOW - ms);

describe('a refresh token that is presented', () => {
  const state = { generation: 5, rotatedAt: [ago(30_000), ago(9000), ago(2000)] };

  it('rotates when it is the one that is good', () => {
    expect(judge(state, 5, NOW, 10_000)).toBe('rotate');
  });

  it('is repeated within the window after its use, also when its successor is used already', () => {
    expect(judge(state, 4, NOW, 10_000)).toBe('repeat');
    expect(judge(state, 3, NOW, 10_000)).toBe('repeat');
  });

  it('is reused after the window, and when its use is no longer remembered', () => {
    expect(judge(state, 2, NOW, 10_000)).toBe('reused');
    expect(judge(state, 1, NOW, 10_000)).toBe('reused');
  });

  it('is reused at its second use where there is no window', () => {
    expect(judge({ generation: 5, rotatedAt: [ago(0)] }, 4, NOW, 0)).toBe('reused');
  });

  it('is unknown when it is ahead of its session', () => {
    expect(judge(state, 6, NOW, 10_000)).toBe('unknown');
  });

  it('leaves behind the uses within the window alone', () => {
    expect(afterRotation(state.rotatedAt, NOW, 10_000)).toEqual([ago(9000), ago(2000), ago(0)]);
  });
});
