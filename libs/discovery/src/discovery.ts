import type { Directory } from './directory.ts';
import {
  EntryRefused,
  type RefusalReason,
  type ServiceInstance,
} from './documents/instance.entry.ts';
import { EntryVerifier } from './entry.verifier.ts';
import { InstanceTable } from './instance.table.ts';
import type { StoredEntry } from './registry.store.ts';

/** A row of the registry that is not used, and why. */
export interface RejectedEntry {
  entry: StoredEntry;
  reason: RefusalReason;
  message: string;
}

/**
 * Finds instances. What it returns was signed by the key that the directory lists for the service, has not
 * expired or been superseded, and has a lease; everything else is in `rejected()` and nowhere else.
 * Every method answers from memory. How leases age, and what holds while the registry is away: `InstanceTable`.
 */
export class Discovery {
  private readonly verifier: EntryVerifier;
  private readonly listeners = new Set<() => void>();
  private refused: readonly RejectedEntry[] = [];
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly directory: Directory,
    private readonly table: InstanceTable = new InstanceTable(),
  ) {
    this.verifier = new EntryVerifier(directory);
    directory.onChange(() => this.dropUnlisted());
  }

  /** The live instances of one service. The array is shared: it is not to be changed. */
  find(service: string): readonly ServiceInstance[] {
    return this.table.find(service);
  }

  /** The live instances of all services. */
  instances(): readonly ServiceInstance[] {
    return this.table.all();
  }

  /** The rows of the last read that were refused. */
  rejected(): readonly RejectedEntry[] {
    return this.refused;
  }

  /** Calls `listener` after each change of what `instances()` answers; returns the way to stop that. */
  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Takes what the registry listed; `readAt` is when the read began, by `performance.now()`. */
  async accept(rows: StoredEntry[], readAt: number): Promise<void> {
    const found: { instance: ServiceInstance; remainingMs: number }[] = [];
    const refused: RejectedEntry[] = [];
    for (const row of rows) {
      try {
        found.push({ instance: await this.verifier.verify(row), remainingMs: row.remainingMs });
      } catch (error) {
        if (!(error instanceof EntryRefused)) throw error;
        refused.push({ entry: row, reason: error.reason, message: error.message });
      }
    }
    this.refused = Object.freeze(refused);
    this.verifier.forgetExpired();
    this.changed(
      this.table.replace(
        found,
        refused.map(({ entry }) => entry),
        readAt,
      ),
    );
  }

  /** The registry could not be read: the last known instances stay. */
  registryLost(): void {
    this.table.readFailed();
  }

  close(): void {
    clearTimeout(this.timer);
    this.listeners.clear();
  }

  private dropUnlisted(): void {
    this.changed(this.table.drop((instance) => !this.verifier.stillHolds(instance)));
  }

  private changed(changed: boolean): void {
    clearTimeout(this.timer);
    const next = this.table.nextExpiryMs();
    if (next !== undefined) {
      // The minimum keeps a blind table, where nobody may expire, from spinning.
      this.timer = setTimeout(
        () => this.changed(this.table.expire()),
        Math.min(Math.max(next, 100), 60_000),
      );
      this.timer.unref();
    }
    if (changed) for (const listener of [...this.listeners]) listener();
  }
}
