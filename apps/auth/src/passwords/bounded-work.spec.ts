import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { describe, expect, it } from '@jest/globals';

import { BoundedWork } from './bounded-work.ts';

function job() {
  let finish!: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const state = { started: false };
  return {
    state,
    finish,
    run: async () => {
      state.started = true;
      await done;
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('bounded work', () => {
  it('runs so many at once and no more, in the order in which they came', async () => {
    const work = new BoundedWork(2, 10);
    const jobs = [job(), job(), job(), job()];
    const all = jobs.map(({ run }) => work.run(run));
    expect(jobs.map(({ state }) => state.started)).toEqual([true, true, false, false]);
    jobs[0]!.finish();
    await turn();
    expect(jobs.map(({ state }) => state.started)).toEqual([true, true, true, false]);
    jobs.forEach(({ finish }) => finish());
    await Promise.all(all);
  });

  it('refuses at once, with Retry-After, what would have to wait too long', async () => {
    const work = new BoundedWork(1, 1);
    const [running, waiting] = [job(), job()];
    const all = [work.run(running.run), work.run(waiting.run)];
    const refused = work.run(() => Promise.resolve());
    await expect(refused).rejects.toBeInstanceOf(ServiceUnavailable);
    await expect(refused).rejects.toMatchObject({ retryAfterSeconds: 1 });
    running.finish();
    waiting.finish();
    await Promise.all(all);
    await expect(work.run(() => Promise.resolve('again'))).resolves.toBe('again');
  });

  it('gives its place back when work fails', async () => {
    const work = new BoundedWork(1, 0);
    await expect(work.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await expect(work.run(() => Promise.resolve(1))).resolves.toBe(1);
  });
});
