import { setTimeout as sleep } from 'node:timers/promises';

import type { Claim, Ticket } from './store/cache-store.ts';
import type { GuardedStore } from './store/guarded-store.ts';

/** How long an instance waits for the load of another, and how long it may keep others waiting. */
const LONGEST_MS = 3_000;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/**
 * - `found`: another instance has loaded the value meanwhile
 * - `turn`: this instance is the only one that loads; it gives the claim back afterwards
 * - `tired`: load without a claim, for another took too long, the store is away, or the key was evicted meanwhile
 */
export type Turn<T> = { waited: boolean } & (
  | { outcome: 'found'; found: T }
  | { outcome: 'turn'; claim: Claim }
  | { outcome: 'tired'; claim?: undefined }
);

/**
 * Waits until the value is there or it is this instance's turn to load it.
 * @param find looks into the store
 * @param current whether what is waited for is still what the callers want
 */
export async function awaitTurn<T>(
  store: GuardedStore,
  ticket: Ticket,
  find: () => Promise<T | undefined>,
  current: () => boolean,
): Promise<Turn<T>> {
  const until = performance.now() + LONGEST_MS;
  for (let pause = FIRST_PAUSE_MS, waited = false; ; waited = true) {
    const claim = await store.claim(ticket, LONGEST_MS);
    if (claim === 'failed') return { waited, outcome: 'tired' };
    if (claim !== undefined) {
      // Whoever had it may have stored the value just before it gave it back.
      const found = await find();
      if (found === undefined) return { waited, outcome: 'turn', claim };
      await store.release(claim);
      return { waited, outcome: 'found', found };
    }
    if (!current() || performance.now() >= until) return { waited, outcome: 'tired' };
    await sleep(pause * (0.5 + Math.random()));
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
    const found = await find();
    if (found !== undefined) return { waited: true, outcome: 'found', found };
  }
}
