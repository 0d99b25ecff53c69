import { answerOf } from '../gcra.ts';
import type { Consumed } from '../rate-limit-store.ts';
import type { RateLimitTally } from '../rate-limit-tally.ts';
import type { Grant } from './gcra-script.ts';
import type { LeasedCounter } from './leased-counter.ts';
import type { Terms } from './terms.ts';

/** What is about to be asked of one counter: the calls that wait for the answer, and a lot of others in advance. */
export class Ask {
  readonly terms: Terms;
  private readonly waiting: ((consumed: Consumed) => void)[] = [];

  constructor(
    readonly counter: LeasedCounter,
    private readonly lot: number,
  ) {
    this.terms = counter.terms;
  }

  get calls(): number {
    return this.waiting.length + this.lot;
  }

  /** Settles as soon as the answer is there. */
  join(): Promise<Consumed> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Lets the waiting calls go in their order. @returns calls that are left over for a counter now under other terms */
  settle({ calls, used }: Grant, now: number, tally: RateLimitTally): number {
    const { counter, terms } = this;
    const served = Math.min(calls, this.waiting.length);
    const left = calls - served;
    const isCurrent = counter.terms === terms;
    if (isCurrent) {
      if (this.lot > 0) counter.isRefilling = false;
      counter.learn(used, calls === this.calls, now);
      counter.hold(left, now);
    }
    const kept = isCurrent ? counter.held : left;
    this.waiting.forEach((resolve, index) => {
      const allowed = index < served;
      tally.count(allowed);
      const later = allowed ? served - 1 - index : 0;
      const usedThen = Math.max(0, used - (kept + later) * terms.increment);
      resolve(answerOf(allowed, usedThen, terms.cost, terms.quota));
    });
    return isCurrent ? 0 : left;
  }

  /** Redis gave no answer. */
  fail(decide: (terms: Terms) => Consumed): void {
    if (this.lot > 0 && this.counter.terms === this.terms) this.counter.isRefilling = false;
    for (const resolve of this.waiting) resolve(decide(this.terms));
  }
}
