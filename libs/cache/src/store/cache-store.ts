/** A value as a store keeps it. */
export interface StoredValue {
  readonly bytes: Uint8Array;
  /** Of the state in `bytes`; absent where the cache does not know versions. */
  readonly version?: number | undefined;
}

/** The intention to store a key's value; from `open` on the store remembers what happens to the key. */
export interface Ticket {
  readonly key: string;
}

/** The right to be the only one who loads a key, for a while. */
export interface Claim {
  readonly key: string;
}

/**
 * - `stored`
 * - `evicted`: the key was evicted since the ticket was opened, or the ticket is not good any more
 * - `superseded`: the same or a newer version was stored before or meanwhile; or, for a value without a version,
 *   anything was stored meanwhile
 */
export type PutOutcome = 'stored' | 'evicted' | 'superseded';

/**
 * Where cached values are. Guarantees of every adapter, proved by `describeCacheStore` of `@gatehouse/cache/testing`:
 *
 * - `put` is atomic: it stores nothing that was read before an eviction (the ticket is opened before the read), and of
 *   several versions of one key the newest stays, whatever the order in which they arrive.
 * - Once `evict` has resolved, `get` does not return what was stored before, and no ticket opened before stores anything.
 * - A store that several instances share keeps all of this among them: tickets of one know what another does.
 * - A method may reject where the store is away; what it was asked to do may or may not have happened then.
 *
 * A store may forget a ticket after a minute: `put` then answers `evicted`.
 */
export abstract class CacheStore {
  /** `undefined` where nothing is stored, or it has expired. */
  abstract get(key: string): Promise<StoredValue | undefined>;

  abstract open(key: string): Promise<Ticket>;

  /** Uses the ticket up, whatever the outcome. */
  abstract put(ticket: Ticket, value: StoredValue, ttlMs: number): Promise<PutOutcome>;

  /** Gives a ticket back unused. */
  abstract close(ticket: Ticket): Promise<void>;

  /**
   * Asks to be the only loader of the ticket's key among all who share the store, for so long at most; `undefined` where
   * another is. An eviction ends it: a load that began before is not waited for.
   */
  abstract claim(ticket: Ticket, forMs: number): Promise<Claim | undefined>;

  /** Gives a claim back; one that has run out is left to whoever has it now. */
  abstract release(claim: Claim): Promise<void>;

  /** @param before where given, what has this version or a newer one stays */
  abstract evict(key: string, before?: number): Promise<void>;

  /** Evicts every key of this service. */
  abstract clear(): Promise<void>;

  /** Ends connections; nothing is asked of the store afterwards. */
  abstract disconnect(): Promise<void>;
}
