import { gcra } from './gcra.ts';
import { type Consumed, type Quota, RateLimitStore } from './rate-limit-store.ts';

export interface MemoryRateLimitOptions {
  /** The most counters kept; default 100,000 (about 10 MB). */
  maxKeys?: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

/** How many counters one call looks at to forget those that are whole again. */
const SWEEP_STEP = 2;

/**
 * Counters in this process's memory. Bounded: counters that are whole again are forgotten bit by bit with each call,
 * and beyond `maxKeys` the one touched longest ago goes (`evictions` counts those that were still in use).
 */
export class MemoryRateLimitStore extends RateLimitStore {
  /** In the order of the last touch: the first is the one touched longest ago. */
  private readonly tats = new Map<string, number>();
  private readonly maxKeys: number;
  private readonly now: () => number;
  /** Counters that were dropped while in use, because there were too many keys. */
  evictions = 0;

  constructor(options: MemoryRateLimitOptions = {}) {
    super();
    this.maxKeys = options.maxKeys ?? 100_000;
    this.now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.tats.size;
  }

  override consume(key: string, cost: number, quota: Quota): Consumed {
    const now = this.now();
    const { tat, consumed } = gcra(this.tats.get(key) ?? 0, now, cost, quota);
    this.tats.delete(key);
    if (tat > now) this.tats.set(key, tat);
    this.sweep(now);
    return consumed;
  }

  private sweep(now: number): void {
    let looked = 0;
    for (const [key, tat] of this.tats) {
      const whole = tat <= now;
      if (!whole && this.tats.size <= this.maxKeys) {
        if (++looked >= SWEEP_STEP) return;
        continue;
      }
      if (!whole) this.evictions += 1;
      this.tats.delete(key);
      if (++looked >= SWEEP_STEP) return;
    }
  }
}
