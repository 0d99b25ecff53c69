import type { Consumed, Quota } from './rate-limit-store.ts';

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
  const window = quota.window_seconds * 1000;
  const interval = window / quota.limit;
  const current = Math.max(tat, now);
  const next = current + cost * interval;
  // Divisions of the window leave fractions: a microsecond of tolerance, so that exactly `limit` units fit.
  const excess = next - now - window;
  const allowed = excess <= 1e-3;
  const after = allowed ? next : current;
  const used = after - now;
  return {
    tat: after,
    consumed: {
      allowed,
      remaining: Math.max(0, Math.floor((window - used + 1e-3) / interval)),
      resetSeconds: Math.ceil(used / 1000),
      retryAfterSeconds: allowed
        ? 0
        : Math.max(1, Math.ceil((cost > quota.limit ? window : excess) / 1000)),
    },
  };
}
