import { setTimeout as sleep } from 'node:timers/promises';

import { isTransient } from './kafka-errors.ts';

/** Tries again, so often in all, what failed because a broker is away or a partition has a new leader. */
export async function outlasting<T>(tries: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= tries || !isTransient(error)) throw error;
      await sleep(200 * attempt);
    }
  }
}
