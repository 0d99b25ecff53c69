import { eventually } from '@gatehouse/testing';

/** The bound of architecture.md, "Current within a second". */
export const CURRENT_WITHIN_MS = 1_000;

/**
 * Milliseconds of a monotonic clock, from the call on, until `probe` is true. Asked without a pause, so that the figure is
 * what a client sees. Gives up long after any bound, so that a late change is told from one that never comes.
 */
export async function millisecondsUntil(probe: () => Promise<boolean>): Promise<number> {
  const from = performance.now();
  await eventually(probe, { timeoutMs: 10_000, intervalMs: 0 });
  return performance.now() - from;
}
