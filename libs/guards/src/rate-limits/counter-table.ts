/** A key's counter, in a list by the order of the last touch. */
export interface Counter<C> {
  readonly key: string;
  /** When the quota would be whole again (see `gcra`), in milliseconds of a monotonic clock. */
  tat: number;
  older: C | undefined;
  newer: C | undefined;
}

/** How many counters one call looks at to forget those that are whole again. */
const SWEEP_STEP = 2;
/** How long a whole counter is kept for its next call, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Counters by key. Bounded: counters that are whole again are forgotten bit by bit with each call, and beyond `maxKeys`
 * the one touched longest ago goes (`evictions` counts those that were still in use).
 *
 * The order is kept in a list of our own. Taking a key out of the Map and putting it back would keep the order too, but
 * V8 then makes a new table every few calls, each reachable from the last: in a busy process none of them dies young.
 */
export class CounterTable<C extends Counter<C>> {
  private readonly counters = new Map<string, C>();
  private oldest: C | undefined;
  private newest: C | undefined;
  /** Counters that were dropped while in use, because there were too many keys. */
  evictions = 0;

  constructor(
    private readonly maxKeys: number,
    private readonly create: (key: string) => C,
  ) {}

  get size(): number {
    return this.counters.size;
  }

  /** The key's counter, a new one where there was none; it is now the one touched last. */
  touched(key: string): C {
    let counter = this.counters.get(key);
    if (counter === undefined) {
      counter = this.create(key);
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

  /** Forgets a little of what may be forgotten: once a call. */
  sweep(now: number): void {
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

  private unlink(counter: C): void {
    const { older, newer } = counter;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    counter.older = undefined;
    counter.newer = undefined;
  }
}
