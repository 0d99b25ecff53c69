import { intervalOf, windowOf } from '../gcra.ts';
import type { Quota } from '../rate-limit-store.ts';
import { lotOf } from './lot.ts';

/** What a counter is asked for: calls of one cost under one quota. */
export class Terms {
  readonly quota: Quota;
  /** What one call takes, in milliseconds of the window. */
  readonly increment: number;
  /** Milliseconds. */
  readonly window: number;
  /** The most calls held. */
  readonly lot: number;

  constructor(
    readonly cost: number,
    { limit, window_seconds }: Quota,
  ) {
    this.quota = { limit, window_seconds };
    this.increment = cost * intervalOf(this.quota);
    this.window = windowOf(this.quota);
    this.lot = lotOf(cost, this.quota);
  }

  are(cost: number, quota: Quota): boolean {
    return (
      this.cost === cost &&
      this.quota.limit === quota.limit &&
      this.quota.window_seconds === quota.window_seconds
    );
  }
}
