import type { RedisLink } from '@gatehouse/cache/redis';
import { Logger } from '@nestjs/common';

import { CounterTable } from '../counter-table.ts';
import { type Consumed, type Quota, RateLimitStore } from '../rate-limit-store.ts';
import { Ask } from './ask.ts';
import type { Charge, Grant } from './gcra-script.ts';
import { LeasedCounter } from './leased-counter.ts';
import { LEASE_MS } from './lot.ts';
import { RedisCounters } from './redis-counters.ts';
import { Terms } from './terms.ts';

export interface RedisRateLimitOptions {
  /** The most counters known in this process; default 100,000. */
  maxKeys?: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

/** Of the counters' names: another where their content or its meaning changes. */
const VERSION = 'v1';
const SAY_EVERY_MS = 60_000;
/** Redis has not spoken of a counter yet. */
const NO_STRETCH = -1;
const NO_TERMS = new Terms(0, { limit: 1, window_seconds: 1 });

/**
 * Counters in Redis, shared by every process of the service.
 *
 * - One script call counts all that came up in one turn of the event loop: every policy of a request, and other requests.
 * - Keys in use are served from lots paid in advance (`lotOf`) without a word to Redis, refilled in the background once half
 *   is spent. What is not spent within a second (1.5 s at most) is given back; it is lost where the process dies.
 * - So others may miss at most `(processes - 1) * lot` units at a time, and at most `overshootOf` units beyond the limit
 *   pass. Limits below 400 know no lots: exact.
 * - Where Redis is away, late or refuses, this process decides alone, at once, going on from what it last knew of each
 *   counter. When Redis is back, a counter goes on from the larger of the two: what was used up stays used up.
 * - `consume` never rejects, and answers at once unless Redis must be asked; then within the link's time for a command.
 */
export class RedisRateLimitStore extends RateLimitStore {
  override readonly kind = 'redis';
  private readonly logger = new Logger('RateLimits');
  private readonly counters: CounterTable<LeasedCounter>;
  private readonly redis: RedisCounters;
  private readonly prefix: string;
  private readonly now: () => number;
  /** Counters that may have calls held. */
  private readonly holders = new Set<LeasedCounter>();
  /** What has not been sent yet. */
  private readonly open = new Map<LeasedCounter, Ask>();
  private readonly timer: NodeJS.Timeout;
  private readonly stopListening: () => void;
  private alone: boolean;
  /** Counts the stretches of time in which Redis could be asked: it may have lost its counters between two. */
  private stretch = 0;
  private saidAt = Number.NEGATIVE_INFINITY;
  private hasSaid = false;

  constructor(
    private readonly link: Pick<RedisLink, 'available' | 'call' | 'onChange' | 'prefix'>,
    options: RedisRateLimitOptions = {},
  ) {
    super();
    this.counters = new CounterTable(
      options.maxKeys ?? 100_000,
      (key) => new LeasedCounter(key, NO_TERMS),
    );
    this.redis = new RedisCounters(link);
    this.prefix = `${link.prefix}limit:${VERSION}:`;
    this.now = options.now ?? (() => performance.now());
    this.alone = !link.available;
    this.stopListening = link.onChange((available) => {
      if (available) void this.rejoin();
      else this.goAlone('Redis is away');
    });
    this.timer = setInterval(() => {
      this.returnUnspent();
      if (this.alone && link.available) void this.rejoin();
    }, LEASE_MS / 2).unref();
  }

  override get size(): number {
    return this.counters.size;
  }

  override get evictions(): number {
    return this.counters.evictions;
  }

  /** Whether this process counts alone, because Redis cannot be asked. */
  get isAlone(): boolean {
    return this.alone;
  }

  override consume(key: string, cost: number, quota: Quota): Consumed | Promise<Consumed> {
    const now = this.now();
    const counter = this.counterOf(key, cost, quota, now);
    if (this.alone) return this.decideAlone(counter, counter.terms);
    const consumed = counter.consume(now);
    if (consumed === undefined) return this.askFor(counter, now).join();
    this.tally.count(consumed.allowed);
    if (counter.runsLow && counter.lotToAsk(now) > 0) this.askFor(counter, now);
    return consumed;
  }

  /** Gives back what is held. What is consumed from now on is counted in this process alone. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.stopListening();
    this.alone = true;
    // First comes what is under way: it may bring lots.
    await this.redis.idle();
    for (const counter of this.holders) this.giveBack(counter);
    this.holders.clear();
    await this.redis.idle();
  }

  private counterOf(key: string, cost: number, quota: Quota, now: number): LeasedCounter {
    const counter = this.counters.touched(key);
    counter.tat = Math.max(counter.tat, now);
    this.counters.sweep(now);
    if (!counter.terms.are(cost, quota)) {
      this.giveBack(counter);
      this.open.delete(counter);
      counter.begin(new Terms(cost, quota));
    }
    return counter;
  }

  private askFor(counter: LeasedCounter, now: number): Ask {
    const opened = this.open.get(counter);
    if (opened !== undefined) return opened;
    const lot = counter.lotToAsk(now);
    const ask = new Ask(counter, lot);
    counter.asked(now, lot);
    this.open.set(counter, ask);
    this.redis.post({
      charge: () => {
        if (this.open.get(counter) === ask) this.open.delete(counter);
        const atLeast = counter.stretch === this.stretch ? 0 : counter.used(this.now());
        return this.chargeOf(counter.key, ask.terms, ask.calls, atLeast);
      },
      granted: (grant) => this.settle(ask, grant),
      failed: (error) => {
        this.goAlone(error);
        ask.fail((terms) => this.decideAlone(counter, terms));
      },
    });
    return ask;
  }

  private settle(ask: Ask, grant: Grant): void {
    const { counter, terms } = ask;
    const left = ask.settle(grant, this.now(), this.tally);
    counter.stretch = this.stretch;
    if (counter.held > 0) this.holders.add(counter);
    if (left > 0) this.postBack(counter.key, terms, left);
  }

  private returnUnspent(): void {
    const now = this.now();
    for (const counter of this.holders) {
      if (counter.held > 0 && now - counter.heldSince < LEASE_MS) continue;
      this.giveBack(counter);
      this.holders.delete(counter);
    }
  }

  private giveBack(counter: LeasedCounter): void {
    if (counter.held === 0) return;
    this.postBack(counter.key, counter.terms, counter.held);
    counter.drop();
  }

  private postBack(key: string, terms: Terms, calls: number): void {
    this.redis.post({
      charge: () => this.chargeOf(key, terms, -calls, 0),
      granted: () => undefined,
      failed: (error) => this.goAlone(error),
    });
  }

  private chargeOf(key: string, terms: Terms, calls: number, atLeast: number): Charge {
    const { increment, window } = terms;
    return { name: this.prefix + key, increment, window, calls, atLeast };
  }

  private decideAlone(counter: LeasedCounter, terms: Terms): Consumed {
    counter.stretch = NO_STRETCH;
    const consumed = counter.consumeAlone(this.now(), terms);
    this.tally.countAlone(consumed.allowed);
    return consumed;
  }

  /** From now on this process counts alone. What it holds may be unknown to the Redis that comes back. */
  private goAlone(why: unknown): void {
    if (this.alone) return;
    this.alone = true;
    this.stretch += 1;
    for (const counter of this.holders) counter.drop();
    this.holders.clear();
    this.hasSaid = this.now() - this.saidAt > SAY_EVERY_MS;
    if (!this.hasSaid) return;
    this.saidAt = this.now();
    const reason = why instanceof Error ? why.message : String(why);
    this.logger.warn(`rate limits are counted in this process alone: ${reason}`);
  }

  /** Asks with nobody waiting whether Redis counts again. */
  private async rejoin(): Promise<void> {
    if (!this.alone || !(await this.redis.works())) return;
    this.alone = false;
    if (this.hasSaid) this.logger.log('rate limits are counted in Redis again');
  }
}
