import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** How long to try, in milliseconds of a monotonic clock. Default 5,000. */
  timeoutMs?: number;
  /** Pause between two tries, in milliseconds. Default 25. */
  intervalMs?: number;
}

/**
 * Calls `probe` until it neither throws nor returns `false`, and returns what it returned.
 * When time is up it throws the probe's last error, so that a failed expectation stays readable.
 */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  { timeoutMs = 5_000, intervalMs = 25 }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const value = await probe();
      if (value !== false) return value as Exclude<T, false>;
      failure = new Error('the probe kept answering false');
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= until) {
      if (failure instanceof Error) failure.message += ` (tried for ${timeoutMs} ms)`;
      throw failure;
    }
    await sleep(intervalMs);
  }
}
