import type { Counter } from '../counter-table.ts';
import { answerOf, gcra, waitOf } from '../gcra.ts';
import type { Consumed } from '../rate-limit-store.ts';
import { LEASE_MS } from './lot.ts';
import type { Terms } from './terms.ts';

/** Lots of fewer calls are not asked for. */
const SMALLEST_REFILL = 2;
/** For how long a refusal by Redis is repeated without asking; what others give back is seen after that at the latest. */
const REFUSAL_MS = 100;

/**
 * What this process knows of a counter in Redis, and the calls it has paid there but not yet let through. All times are
 * milliseconds of this process's monotonic clock.
 */
export class LeasedCounter implements Counter<LeasedCounter> {
  /** When the quota will be whole again, as Redis said last; calls that are held count as made. */
  tat = Number.NEGATIVE_INFINITY;
  older: LeasedCounter | undefined;
  newer: LeasedCounter | undefined;
  /** Calls paid and not yet made. */
  held = 0;
  /** When some of them were paid last. */
  heldSince = 0;
  /** In which stretch of good connection Redis last spoke of it. */
  stretch = -1;
  /** A lot is under way. */
  isRefilling = false;
  private refillAt = 0;
  /** Until then Redis has nothing to give. */
  private emptyUntil = Number.NEGATIVE_INFINITY;
  private callsSinceAsked = 0;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly key: string,
    public terms: Terms,
  ) {}

  /**
   * Makes a call if that can be done without asking Redis: one of those held, or one that Redis has just refused.
   * @returns undefined where Redis must be asked
   */
  consume(now: number): Consumed | undefined {
    this.callsSinceAsked += 1;
    if (this.held > 0) {
      this.held -= 1;
      return this.answer(true, now);
    }
    return now < this.emptyUntil ? this.answer(false, now) : undefined;
  }

  /** Makes a call without Redis, going on from what is known. */
  consumeAlone(now: number, { cost, quota }: Terms): Consumed {
    this.drop();
    const { tat, consumed } = gcra(this.tat, now, cost, quota);
    this.tat = tat;
    return consumed;
  }

  /** How long until the quota would be whole again if what is held were given back, in milliseconds. */
  used(now: number): number {
    return Math.max(0, this.tat - now - this.held * this.terms.increment);
  }

  get runsLow(): boolean {
    return this.held <= this.refillAt;
  }

  /**
   * How many calls to pay in advance: as many as come in the time of a lease, judged by those since Redis was last asked,
   * and with those held never more than a lot. 0 where that is not worth it, or Redis has nothing.
   */
  lotToAsk(now: number): number {
    if (this.isRefilling || now < this.emptyUntil) return 0;
    const elapsed = Math.max(1, now - this.askedAt);
    const expected = Math.floor((this.callsSinceAsked / elapsed) * LEASE_MS);
    const missing = Math.min(this.terms.lot, expected) - this.held;
    return missing < SMALLEST_REFILL ? 0 : missing;
  }

  /** Redis is being asked; `lot` calls of that in advance. */
  asked(now: number, lot: number): void {
    this.callsSinceAsked = 0;
    this.askedAt = now;
    if (lot > 0) this.isRefilling = true;
  }

  hold(calls: number, now: number): void {
    this.held += calls;
    this.heldSince = now;
    this.refillAt = this.held >> 1;
  }

  /** Redis said how long until the quota is whole, and whether it gave all that was asked for. */
  learn(used: number, gaveAll: boolean, now: number): void {
    this.tat = now + used;
    if (gaveAll) return;
    const wait = waitOf(used, this.terms.cost, this.terms.quota);
    this.emptyUntil = now + Math.min(REFUSAL_MS, Math.max(0, wait));
  }

  /** Forgets what is held. It is not given back; where the counter in Redis lives on, it is lost. */
  drop(): void {
    this.tat -= this.held * this.terms.increment;
    this.held = 0;
  }

  /** From now on another cost or quota is counted. What was held has been given back. */
  begin(terms: Terms): void {
    this.terms = terms;
    this.isRefilling = false;
    this.emptyUntil = Number.NEGATIVE_INFINITY;
  }

  private answer(allowed: boolean, now: number): Consumed {
    return answerOf(allowed, this.used(now), this.terms.cost, this.terms.quota);
  }
}
