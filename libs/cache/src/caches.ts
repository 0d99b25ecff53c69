import { currentTransaction } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { CacheMetrics } from './cache.metrics.ts';
import { type Duration, jittered, toMilliseconds } from './duration.ts';
import { awaitTurn } from './fleet-turn.ts';
import { Flights } from './flights.ts';
import { decode, encode } from './plain-data.ts';
import type { Claim, StoredValue } from './store/cache-store.ts';
import { GuardedStore } from './store/guarded-store.ts';

/** How values of one cache are kept. */
export interface CacheSpec<T = unknown> {
  /** The cache's name: unique in the service, a metric label, the first part of its keys. */
  cache: string;
  /** At most this long; entries expire after 80 to 100 per cent of it. */
  ttl: Duration;
  /** Of a value, growing with each commit. Needed where the cache is also written through. */
  version?: ((value: T & {}) => number) | undefined;
  /**
   * Who loads one key at a time: one caller in each process (the default), or in the whole fleet of instances that share
   * the store. `fleet` is for what is dear to load: it costs two more questions to the store a load. An instance waits three
   * seconds for the load of another at most, then loads itself.
   */
  singleFlight?: 'process' | 'fleet' | undefined;
}

/**
 * The caches of a service. Decorators use it; so may whoever cannot decorate.
 *
 * Guarantees, for every store:
 * - One load at a time per key in a process (or in the fleet, where asked for); who asks meanwhile waits for it. A load that began before an eviction is not
 *   waited for by whoever asks after it, nor does it fill the cache.
 * - After a commit that evicts or writes through has returned, this process does not read what was there before.
 * - Inside a transaction every read goes to the database: it sees its own writes, and nothing uncommitted is cached.
 * - A store that is down or slow costs at most its timeout now and then; the call goes to the database.
 * - `undefined` is not cached, errors are not, `null` is.
 */
@Injectable()
export class Caches {
  readonly #flights = new Flights();

  constructor(
    private readonly store: GuardedStore,
    private readonly metrics: CacheMetrics,
  ) {}

  /**
   * The cached value of a key, else what `load` returns. `key` names everything the value depends on, the caller too
   * where it does: whoever asks meanwhile gets the same value, loaded in the context of who asked first.
   * @throws NotPlainData for a value that a cache cannot hold; whatever `load` throws
   */
  async load<T>(spec: CacheSpec<T>, key: string, load: () => Promise<T>): Promise<T> {
    const { cache } = spec;
    if (currentTransaction() !== undefined) {
      this.metrics.requests.inc({ cache, result: 'bypass' });
      return load();
    }
    const full = keyOf(cache, key);
    const found = await this.#found(cache, full);
    if (found !== undefined) {
      this.metrics.requests.inc({ cache, result: 'hit' });
      return found.value as T;
    }
    const { flight, joined } = this.#flights.join(full, (alone) =>
      this.#fill(spec, full, load, alone),
    );
    this.metrics.requests.inc({ cache, result: joined ? 'joined' : 'miss' });
    const { value, bytes } = await flight;
    // A copy for each who waited, so that none sees what another does to it.
    return joined && bytes !== undefined ? (decode(bytes) as T) : (value as T);
  }

  /**
   * Evicts now, or after the current transaction: committed or not, for a COMMIT without an answer may have happened.
   * @param before where given, what is cached of this version or a newer one stays
   */
  async evict(cache: string, keys: string | readonly string[], before?: number): Promise<void> {
    const all = (typeof keys === 'string' ? [keys] : keys).map((key) => keyOf(cache, key));
    if (all.length === 0) return;
    const evict = async () => {
      await Promise.all(all.map((key) => this.#evictNow(cache, key, before)));
    };
    const transaction = currentTransaction();
    if (transaction === undefined) return evict();
    transaction.afterCommit(evict);
    transaction.afterRollback(evict);
  }

  /**
   * Puts what the current transaction made of a key into the cache once it has committed, unless a newer version is there
   * or the key was evicted meanwhile. Where it cannot be stored, the key is evicted.
   * @throws Error outside a transaction: a change that is committed already can be overtaken unnoticed
   */
  async writeThrough<T>(
    spec: CacheSpec<T> & { version: (value: T & {}) => number },
    key: string,
    value: T & {},
  ): Promise<void> {
    const transaction = currentTransaction();
    if (transaction === undefined) {
      throw new Error(`cache ${spec.cache}: written through outside a transaction`);
    }
    const { cache } = spec;
    const full = keyOf(cache, key);
    const stored = toStored(spec, value);
    const ttl = jittered(toMilliseconds(spec.ttl));
    // Before COMMIT: whatever a later transaction does to the key is noted in the ticket.
    const ticket = await this.store.open(full);
    transaction.afterCommit(async () => {
      this.#flights.forget(full);
      const outcome = await this.store.write(ticket, full, stored, ttl);
      this.metrics.writes.inc({ cache, kind: 'through', outcome });
    });
    transaction.afterRollback(async () => {
      if (ticket !== undefined) await this.store.close(ticket);
      await this.#evictNow(cache, full);
    });
  }

  async #evictNow(cache: string, full: string, before?: number): Promise<void> {
    this.#flights.forget(full);
    this.metrics.evictions.inc({ cache });
    await this.store.evict(full, before);
  }

  async #fill<T>(
    spec: CacheSpec<T>,
    full: string,
    load: () => Promise<T>,
    current: () => boolean,
  ): Promise<Loaded> {
    const { cache } = spec;
    const ticket = await this.store.open(full);
    let spent = ticket === undefined;
    let claim: Claim | undefined;
    try {
      if (ticket !== undefined) {
        // Between the miss and the ticket another flight may have landed.
        const found = () => this.#found(cache, full);
        const landed = await found();
        if (landed !== undefined) return landed;
        if (spec.singleFlight === 'fleet') {
          const turn = await awaitTurn(this.store, ticket, found, current);
          if (turn.waited) this.metrics.fleetWaits.inc({ cache, outcome: turn.outcome });
          if (turn.outcome === 'found') return turn.found;
          claim = turn.claim;
        }
      }
      const value = await this.#timed(cache, load);
      if (value === undefined) return { value, bytes: undefined };
      const stored = toStored(spec, value);
      if (ticket !== undefined && current()) {
        spent = true;
        const outcome = await this.store.fill(ticket, stored, jittered(toMilliseconds(spec.ttl)));
        this.metrics.writes.inc({ cache, kind: 'fill', outcome });
      }
      return { value, bytes: stored.bytes };
    } finally {
      if (claim !== undefined) await this.store.release(claim);
      if (ticket !== undefined && !spent) await this.store.close(ticket);
    }
  }

  async #found(cache: string, full: string): Promise<Loaded | undefined> {
    const found = await this.store.get(full);
    if (found === undefined) return undefined;
    const { bytes } = found;
    try {
      return { value: decode(bytes), bytes };
    } catch {
      // Written by a newer Node, say: as good as nothing, and the load overwrites it.
      this.metrics.requests.inc({ cache, result: 'unreadable' });
      return undefined;
    }
  }

  async #timed<T>(cache: string, load: () => Promise<T>): Promise<T> {
    const stop = this.metrics.loadDuration.startTimer({ cache });
    try {
      const value = await load();
      this.metrics.loads.inc({ cache, outcome: 'ok' });
      return value;
    } catch (error) {
      this.metrics.loads.inc({ cache, outcome: 'error' });
      throw error;
    } finally {
      stop();
    }
  }
}

interface Loaded {
  value: unknown;
  bytes: Uint8Array | undefined;
}

function keyOf(cache: string, key: string): string {
  if (typeof key !== 'string' || key === '') throw new Error(`cache ${cache}: a key is missing`);
  return `${cache}:${key}`;
}

function toStored<T>(spec: CacheSpec<T>, value: T): StoredValue {
  const bytes = encode(spec.cache, value);
  return { bytes, version: value == null ? undefined : spec.version?.(value) };
}
