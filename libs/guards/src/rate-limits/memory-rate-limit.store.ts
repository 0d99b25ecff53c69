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
/** How long a whole counter is kept for its next call, in milliseconds. */
const LINGER_MS = 1_000;

/** A key's theoretical arrival time, in a list by the order of the last touch. */
interface Counter {
  readonly key: string;
  tat: number;
  older: Counter | undefined;
  newer: Counter | undefined;
}

/**
 * Counters in this process's memory. Bounded: counters that are whole again are forgotten bit by bit with each call,
 * and beyond `maxKeys` the one touched longest ago goes (`evictions` counts those that were still in use).
 *
 * The order is kept in a list of our own. Taking a key out of the Map and putting it back would keep the order too, but
 * V8 then makes a new table every few calls, each reachable from the last: in a busy process none of them dies young.
 */
export class MemoryRateLimitStore extends RateLimitStore {
  private readonly counters = new Map<string, Counter>();
  private oldest: Counter | undefined;
  private newest: Counter | undefined;
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
    return this.counters.size;
  }

  override consume(key: string, cost: number, quota: Quota): Consumed {
    const now = this.now();
    const counter = this.touched(key);
    const { tat, consumed } = gcra(counter.tat, now, cost, quota);
    counter.tat = tat;
    this.sweep(now);
    return consumed;
  }

  private touched(key: string): Counter {
    let counter = this.counters.get(key);
    if (counter === undefined) {
      counter = { key, tat: 0, older: undefined, newer: undefined };
      this.counters.set(key, counter);
    } else if (counter === this.newest) {
      return counter;
    } else {
      this.unlink(counter);
    }
    counter.older = this.newest;
    if (this.newest === undefined) this.oldest = counter;
    else this.newest.newer = counter;
    this.newest = counter;
    return counter;
  }

  private unlink(counter: Counter): void {
    const { older, newer } = counter;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    counter.older = undefined;
    counter.newer = undefined;
  }

  private sweep(now: number): void {
    let next = this.oldest;
    for (let looked = 0; looked < SWEEP_STEP && next !== undefined; looked++) {
      const counter = next;
      next = counter.newer;
      const isFull = this.counters.size > this.maxKeys;
      if (!isFull && counter.tat + LINGER_MS > now) continue;
      if (counter.tat > now) this.evictions += 1;
      this.unlink(counter);
      this.counters.delete(counter.key);
    }
  }
}
