import type { Consumed, Quota } from './rate-limit-store.ts';

/** Divisions of the window leave fractions: a microsecond of tolerance, so that exactly `limit` units fit. */
const TOLERANCE_MS = 1e-3;

/**
 * The generic cell rate algorithm (ITU-T I.371): one number a key, the theoretical arrival time (TAT), at which the
 * quota would be whole again. All times in milliseconds of one clock.
 * @returns the new TAT (unchanged where refused) and the answer
 */
export function gcra(
  tat: number,
  now: number,
  cost: number,
  quota: Quota,
): { tat: number; consumed: Consumed } {
  const current = Math.max(tat, now);
  const next = current + cost * intervalOf(quota);
  const allowed = next - now - windowOf(quota) <= TOLERANCE_MS;
  const after = allowed ? next : current;
  return { tat: after, consumed: answerOf(allowed, after - now, cost, quota) };
}

/**
 * The answer to a call of this cost.
 * @param used how long, in milliseconds, until the quota would be whole again; after the call, where it was allowed
 */
export function answerOf(allowed: boolean, used: number, cost: number, quota: Quota): Consumed {
  const left = windowOf(quota) - used + TOLERANCE_MS;
  return {
    allowed,
    remaining: Math.max(0, Math.floor(left / intervalOf(quota))),
    resetSeconds: wholeSeconds(used),
    retryAfterSeconds: allowed ? 0 : Math.max(1, wholeSeconds(waitOf(used, cost, quota))),
  };
}

/** Rounded up, so that who waits that long is let in. */
function wholeSeconds(milliseconds: number): number {
  return Math.max(0, Math.ceil((milliseconds - TOLERANCE_MS) / 1000));
}

/** How long until a refused call of this cost fits, in milliseconds; one that never fits is told the whole window. */
export function waitOf(used: number, cost: number, quota: Quota): number {
  if (cost > quota.limit) return windowOf(quota);
  return used + cost * intervalOf(quota) - windowOf(quota);
}

/** Milliseconds. */
export function windowOf(quota: Quota): number {
  return quota.window_seconds * 1000;
}

/** The milliseconds in which one unit comes back. */
export function intervalOf(quota: Quota): number {
  return windowOf(quota) / quota.limit;
}
