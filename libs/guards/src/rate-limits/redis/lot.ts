import type { Quota } from '../rate-limit-store.ts';

/** The share of a limit that one process may hold unspent. */
const SHARE = 0.01;
/** Smaller lots are not worth their trouble, and small limits are to be exact. */
const SMALLEST_LOT = 4;

/** For how long a process holds what it does not spend, in milliseconds, before it gives it back. */
export const LEASE_MS = 1_000;

/**
 * How many calls of this cost a process may hold paid but not yet made: one percent of the limit. None where that is less
 * than four units: limits below 400 are exact, every call is asked for.
 */
export function lotOf(cost: number, { limit }: Quota): number {
  const units = Math.floor(limit * SHARE);
  return units < SMALLEST_LOT ? 0 : Math.floor(units / cost);
}

/**
 * How many units more than a limit says may be let through in any span of time, by all of these processes together: each
 * may have kept a lot from before. In any span of t seconds at most
 * `limit + t * limit / window_seconds + overshootOf(processes, quota)` units pass.
 */
export function overshootOf(processes: number, quota: Quota): number {
  return processes * lotOf(1, quota);
}
