import { createCache, memoryStore, type MemoryCache } from 'cache-manager';

import {
  CacheStore,
  type Claim,
  type PutOutcome,
  type StoredValue,
  type Ticket,
} from './cache-store.ts';

export interface MemoryCacheOptions {
  /** Least recently used entries go first beyond either limit. */
  maxEntries: number;
  maxBytes: number;
}

/** What an entry takes beside its key and bytes, roughly. */
const ENTRY_OVERHEAD_BYTES = 200;

class MemoryTicket implements Ticket {
  evicted = false;
  /** Something was stored under the key since the ticket was opened. */
  overtaken = false;
  /** The newest version stored since the ticket was opened. */
  newest = -Infinity;

  constructor(readonly key: string) {}
}

interface MemoryClaim extends Claim {
  readonly until: number;
}

/**
 * The memory of this process, over cache-manager's memory store (an LRU). What happens to a key is noted in its open
 * tickets, and nowhere else: without loads in flight there is nothing to keep, and nothing that a full store could drop.
 * Each instance of a service has a store of its own: evict in the others by a `broadcast` subscriber, see `@Evicts`.
 */
export class MemoryCacheStore extends CacheStore {
  readonly #cache: MemoryCache;
  readonly #open = new Map<string, Set<MemoryTicket>>();
  readonly #claims = new Map<string, MemoryClaim>();

  constructor({ maxEntries, maxBytes }: MemoryCacheOptions) {
    super();
    this.#cache = createCache(
      memoryStore({
        max: maxEntries,
        ttl: 0,
        maxSize: maxBytes,
        sizeCalculation: (value, key) =>
          (value as StoredValue).bytes.byteLength + key.length * 2 + ENTRY_OVERHEAD_BYTES,
        // Bytes are never changed once stored, and a timer for each entry would cost more than the entry.
        shouldCloneBeforeSet: false,
        ttlAutopurge: false,
      }),
    );
  }

  override async get(key: string): Promise<StoredValue | undefined> {
    return this.#cache.get<StoredValue>(key);
  }

  override open(key: string): Promise<Ticket> {
    const ticket = new MemoryTicket(key);
    const tickets = this.#open.get(key);
    if (tickets === undefined) this.#open.set(key, new Set([ticket]));
    else tickets.add(ticket);
    return Promise.resolve(ticket);
  }

  override async put(ticket: Ticket, value: StoredValue, ttlMs: number): Promise<PutOutcome> {
    const { key } = ticket;
    const current = await this.#cache.get<StoredValue>(key);
    // From here on nothing else runs before the value is set: what came in between is noted in the ticket.
    if (!(ticket instanceof MemoryTicket) || !this.#take(ticket) || ticket.evicted)
      return 'evicted';
    if (value.version === undefined) {
      if (ticket.overtaken) return 'superseded';
    } else if (value.version <= Math.max(ticket.newest, current?.version ?? -Infinity)) {
      return 'superseded';
    }
    for (const other of this.#open.get(key) ?? []) {
      other.overtaken = true;
      other.newest = Math.max(other.newest, value.version ?? -Infinity);
    }
    await this.#cache.set(key, value, ttlMs);
    return 'stored';
  }

  override close(ticket: Ticket): Promise<void> {
    if (ticket instanceof MemoryTicket) this.#take(ticket);
    return Promise.resolve();
  }

  override claim({ key }: Ticket, forMs: number): Promise<Claim | undefined> {
    const now = performance.now();
    const held = this.#claims.get(key);
    if (held !== undefined && now < held.until) return Promise.resolve(undefined);
    const claim = { key, until: now + forMs };
    this.#claims.set(key, claim);
    return Promise.resolve(claim);
  }

  override release(claim: Claim): Promise<void> {
    if (this.#claims.get(claim.key) === claim) this.#claims.delete(claim.key);
    return Promise.resolve();
  }

  override async evict(key: string, before?: number): Promise<void> {
    if (before !== undefined) {
      const current = await this.#cache.get<StoredValue>(key);
      if (current?.version !== undefined && current.version >= before) return;
    }
    this.#claims.delete(key);
    for (const ticket of this.#open.get(key) ?? []) ticket.evicted = true;
    await this.#cache.del(key);
  }

  override async clear(): Promise<void> {
    this.#claims.clear();
    for (const tickets of this.#open.values()) {
      for (const ticket of tickets) ticket.evicted = true;
    }
    await this.#cache.reset();
  }

  override disconnect(): Promise<void> {
    return this.clear();
  }

  /** Tickets that are open now. */
  get openTickets(): number {
    return [...this.#open.values()].reduce((sum, tickets) => sum + tickets.size, 0);
  }

  /** Whether the ticket was open until now. */
  #take(ticket: MemoryTicket): boolean {
    const tickets = this.#open.get(ticket.key);
    if (tickets?.delete(ticket) !== true) return false;
    if (tickets.size === 0) this.#open.delete(ticket.key);
    return true;
  }
}
