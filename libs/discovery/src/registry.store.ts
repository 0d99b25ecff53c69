import type { AwaitEngineOptions } from '@gatehouse/kernel';

/** A row of the registry, as found: nothing about it is trusted until `Discovery` has verified it. */
export interface StoredEntry {
  service: string;
  instanceId: string;
  /** The signed entry. */
  entry: string;
  /** What was left of the lease when the store answered, by the store's own clock; a store that cannot tell says the most it can be. */
  remainingMs: number;
}

/**
 * Where instances are announced. It keeps strings and leases and understands neither; it may lie, lose or
 * repeat, and nobody gets a route by it.
 *
 * Guarantees of an adapter (`registryStoreContract` in `@gatehouse/discovery/testing`):
 * - a lease that was not renewed for `leaseMs` is not listed any more;
 * - what was put, renewed or removed is seen by the next `list` of every process;
 * - a service writes only rows of its own; the store, not the caller, says which service that is;
 * - watchers are told of every put and removal soon, but a lost notice is allowed: readers also poll;
 * - every method rejects, and soon, while the store is unreachable.
 */
export abstract class RegistryStore {
  /** What is behind it, as messages name it, and what waiting for it at a start will not mend. */
  abstract readonly engine: Omit<AwaitEngineOptions, 'withinMs'>;
  /** Writes the row with a new lease, replacing an earlier entry of the instance. */
  abstract put(service: string, instanceId: string, entry: string, leaseMs: number): Promise<void>;
  /** Lengthens the lease; false where the row is gone or had run out, and must be put again. */
  abstract renew(service: string, instanceId: string, leaseMs: number): Promise<boolean>;
  /** Takes the row out at once. A row that is not there is no error. */
  abstract remove(service: string, instanceId: string): Promise<void>;
  /** Every row whose lease has not run out. */
  abstract list(): Promise<StoredEntry[]>;
  /**
   * Calls `onChange` after changes of rows or directory, and after any time in which some may have been missed; `onLost`
   * when the store was out of reach, however shortly: it may have lost its rows meanwhile.
   */
  abstract watch(onChange: () => void, onLost?: () => void): Promise<() => Promise<void>>;
  /** The signed directory, or undefined where the provisioner has not written one. */
  abstract readDirectory(): Promise<string | undefined>;
  /** Ends watches and connections; nothing is called after it. */
  abstract close(): Promise<void>;
}
