import { type Counter, CounterTable } from './counter-table.ts';
import { gcra } from './gcra.ts';
import { type Consumed, type Quota, RateLimitStore } from './rate-limit-store.ts';

export interface MemoryRateLimitOptions {
  /** The most counters kept; default 100,000 (about 10 MB). */
  maxKeys?: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

type MemoryCounter = Counter<MemoryCounter>;

/** Counters in this process's memory, bounded as `CounterTable` says. */
export class MemoryRateLimitStore extends RateLimitStore {
  override readonly kind = 'memory';
  private readonly counters: CounterTable<MemoryCounter>;
  private readonly now: () => number;

  constructor(options: MemoryRateLimitOptions = {}) {
    super();
    this.counters = new CounterTable(options.maxKeys ?? 100_000, (key) => ({
      key,
      tat: 0,
      older: undefined,
      newer: undefined,
    }));
    this.now = options.now ?? (() => performance.now());
  }

  override get size(): number {
    return this.counters.size;
  }

  override get evictions(): number {
    return this.counters.evictions;
  }

  override consume(key: string, cost: number, quota: Quota): Consumed {
    const now = this.now();
    const counter = this.counters.touched(key);
    const { tat, consumed } = gcra(counter.tat, now, cost, quota);
    counter.tat = tat;
    this.counters.sweep(now);
    this.tally.count(consumed.allowed);
    return consumed;
  }
}
