import { Logger } from '@nestjs/common';

import type { CacheMetrics } from '../cache.metrics.ts';
import type { CacheStore, Claim, PutOutcome, StoredValue, Ticket } from './cache-store.ts';
import { within } from '../within.ts';
import { UnsettledKeys } from './unsettled-keys.ts';

export interface GuardedStoreOptions {
  timeoutMs: number;
  /** How long a store that failed is left alone, and how often evictions it has not taken are tried again. */
  retryMs?: number | undefined;
}

class StoreTimeout extends Error {
  override readonly name = 'StoreTimeout';
}

/**
 * A store that cannot hurt: nothing here rejects or takes long, whatever the store does. A store that failed is left
 * alone for a moment and counts as empty. Guarantee: from the moment `evict` or `write` is called until the store has
 * taken it, this process does not read the key from the store; an eviction that failed is tried until it succeeds.
 */
export class GuardedStore {
  readonly #logger = new Logger('CacheStore');
  readonly #unsettled: UnsettledKeys;
  readonly #timeoutMs: number;
  readonly #retryMs: number;
  #aloneUntil = 0;
  #down = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly store: CacheStore,
    private readonly metrics: CacheMetrics,
    { timeoutMs, retryMs = 250 }: GuardedStoreOptions,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#retryMs = retryMs;
    this.#unsettled = new UnsettledKeys((count) => metrics.pendingEvictions.set(count));
  }

  /** `undefined` also where the store is away, or has not taken the last change of the key yet. */
  async get(key: string): Promise<StoredValue | undefined> {
    if (this.#alone || this.#unsettled.has(key)) return undefined;
    const found = await this.#try('get', () => this.store.get(key));
    // A change that came while the store was asked: what it answered may be from before.
    return found === FAILED || this.#unsettled.has(key) ? undefined : found;
  }

  /** `undefined`: do not store anything. A change that is on its way to the store is no obstacle: the ticket will know of it. */
  async open(key: string): Promise<Ticket | undefined> {
    if (this.#alone) return undefined;
    const ticket = await this.#try('open', () => this.store.open(key));
    return ticket === FAILED ? undefined : ticket;
  }

  async close(ticket: Ticket): Promise<void> {
    await this.#try('close', () => this.store.close(ticket));
  }

  /** `failed` where the store is away: there is nobody to wait for. */
  async claim(ticket: Ticket, forMs: number): Promise<Claim | undefined | 'failed'> {
    if (this.#alone) return 'failed';
    const claim = await this.#try('claim', () => this.store.claim(ticket, forMs));
    return claim === FAILED ? 'failed' : claim;
  }

  async release(claim: Claim): Promise<void> {
    if (!this.#alone) await this.#try('release', () => this.store.release(claim));
  }

  /** What was read from behind the cache. */
  async fill(ticket: Ticket, value: StoredValue, ttlMs: number): Promise<PutOutcome | 'failed'> {
    const outcome = await this.#try('put', () => this.store.put(ticket, value, ttlMs));
    return outcome === FAILED ? 'failed' : outcome;
  }

  /**
   * What was committed. Where it cannot be stored, what was stored before goes: after an eviction by another change too,
   * for a reader may have filled the key from before this commit since.
   */
  async write(
    ticket: Ticket | undefined,
    key: string,
    value: StoredValue,
    ttlMs: number,
  ): Promise<PutOutcome | 'failed'> {
    const change = this.#unsettled.begin(key);
    const outcome = ticket === undefined ? 'failed' : await this.fill(ticket, value, ttlMs);
    if (outcome === 'failed' || outcome === 'evicted') await this.#evictNow(key, change);
    else this.#unsettled.settle(key, change);
    return outcome;
  }

  /** Resolves when the store has taken it, or has failed to; it is then tried again behind. */
  async evict(key: string, before?: number): Promise<void> {
    await this.#evictNow(key, this.#unsettled.begin(key), before);
  }

  /** One more attempt at what is left, then no more. */
  async shutDown(): Promise<void> {
    clearTimeout(this.#retry);
    this.#closed = true;
    await this.#settleAll();
    if (this.#unsettled.size > 0) {
      this.#logger.warn(`${String(this.#unsettled.size)} evictions were not taken; they expire`);
    }
    await this.#try('disconnect', () => this.store.disconnect());
  }

  get #alone(): boolean {
    return performance.now() < this.#aloneUntil;
  }

  async #evictNow(key: string, change: symbol, before?: number): Promise<void> {
    const done = this.#alone
      ? FAILED
      : await this.#try('evict', () => this.store.evict(key, before));
    if (done === FAILED) this.#scheduleRetry();
    else this.#unsettled.settle(key, change);
  }

  #scheduleRetry(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      void this.#settleAll().then(() => {
        this.#retry = undefined;
        if (this.#unsettled.size > 0) this.#scheduleRetry();
      });
    }, this.#retryMs).unref();
  }

  /** Stops at the first failure: the next ones would fail too. */
  async #settleAll(): Promise<void> {
    if (this.#unsettled.overflown) {
      const before = this.#unsettled.snapshot();
      if ((await this.#try('clear', () => this.store.clear())) === FAILED) return;
      this.#unsettled.settleOverflow(before);
    }
    for (const [key, change] of this.#unsettled.snapshot()) {
      if ((await this.#try('evict', () => this.store.evict(key))) === FAILED) return;
      this.#unsettled.settle(key, change);
    }
  }

  async #try<T>(operation: string, run: () => Promise<T>): Promise<T | typeof FAILED> {
    try {
      const result = await within(run(), this.#timeoutMs, tooLate);
      if (this.#down) this.#logger.log('the cache store answers again');
      this.#down = false;
      return result;
    } catch (error) {
      this.metrics.storeErrors.inc({ operation });
      this.#aloneUntil = performance.now() + this.#retryMs;
      // Once an outage, not once a call.
      if (!this.#down) {
        this.#logger.warn(
          { err: error },
          `the cache store failed to ${operation}: reads go around it`,
        );
      }
      this.#down = true;
      return FAILED;
    }
  }
}

const FAILED = Symbol('failed');

function tooLate(ms: number): Error {
  return new StoreTimeout(`no answer within ${ms} ms`);
}
