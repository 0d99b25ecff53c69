import type { RateLimitPolicy } from '@gatehouse/contracts-platform';

import { RateLimitTally } from './rate-limit-tally.ts';

export type { RateLimitPolicy };

/** What a counter answered. */
export interface Consumed {
  allowed: boolean;
  /** Whole units that may still come at once. */
  remaining: number;
  /** Seconds, rounded up, until the whole quota is there again. */
  resetSeconds: number;
  /** Seconds, rounded up, until this cost would be allowed; 0 where it was. */
  retryAfterSeconds: number;
}

/** The part of a policy a counter needs. */
export type Quota = Pick<RateLimitPolicy, 'limit' | 'window_seconds'>;

/**
 * Port: rate-limit counters (GCRA). Guarantees, checked by `rateLimitStoreContract` of `@gatehouse/guards/testing`:
 * - `consume` is one atomic operation: of N parallel calls exactly those that fit are allowed;
 * - at most `limit` units at once, and in any span of t seconds at most `limit + t * limit / window_seconds`; an adapter that
 *   counts for several processes may let more pass within a bound that it states and tests, of small limits never;
 * - a refused call takes nothing; a cost above the limit is always refused;
 * - keys do not influence each other;
 * - memory is bounded: a counter that is full again is forgotten;
 * - `consume` does not reject: a store that cannot be asked is the adapter's matter. It answers at once where it can.
 */
export abstract class RateLimitStore {
  /** What it counts in, as metrics call it. */
  abstract readonly kind: 'memory' | 'redis';
  readonly tally = new RateLimitTally();
  /** Counters in this process's memory. */
  abstract readonly size: number;
  /** Of those, how many were dropped while in use, because there were too many keys. */
  abstract readonly evictions: number;

  abstract consume(key: string, cost: number, quota: Quota): Consumed | Promise<Consumed>;
}
