import type { ServiceInstance } from './documents/instance.entry.ts';
import { instanceKey } from './entry.verifier.ts';

/** How long an instance is listed without a renewal. */
export const LEASE_MS = 10_000;

/** Without a good read for this long we do not know who is alive, and nobody's lease runs out. */
export const BLIND_AFTER_MS = 3_000;

interface Known {
  instance: ServiceInstance;
  leaseUntil: number;
  /** Set while the instance is missing from a registry that was lost and came back. */
  graceUntil?: number;
  signatureUntil: number;
}

/**
 * The instances a process knows, aged by its own monotonic clock.
 *
 * - While the registry is read, an instance goes with the first read that does not list it, or when its lease
 *   runs out between two reads.
 * - While it cannot be read (or this process was stopped), nobody can renew and nobody is told, so leases do not
 *   age: the last known instances keep serving until their signature expires (at most an hour).
 * - The first read after that may be of a registry whose leases all ran out, or that lost its rows: whoever is
 *   missing stays for one lease more, time enough to register again.
 */
export class InstanceTable {
  private readonly known = new Map<string, Known>();
  private lastGoodRead = Number.NEGATIVE_INFINITY;
  private lastReadFailed = false;
  private snapshot: readonly ServiceInstance[] = [];
  private byService = new Map<string, readonly ServiceInstance[]>();

  /** @param now monotonic milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  find(service: string): readonly ServiceInstance[] {
    return this.byService.get(service) ?? [];
  }

  all(): readonly ServiceInstance[] {
    return this.snapshot;
  }

  /** Whether nothing certain is known about leases at the moment. */
  get blind(): boolean {
    return this.lastReadFailed || this.now() - this.lastGoodRead > BLIND_AFTER_MS;
  }

  readFailed(): void {
    this.lastReadFailed = true;
  }

  /**
   * Takes what a read begun at `readAt` (by this table's clock) has found; what it refused goes at once.
   * @returns whether the set of instances or one of their entries changed
   */
  replace(
    found: { instance: ServiceInstance; remainingMs: number }[],
    refused: { service: string; instanceId: string }[],
    readAt: number,
  ): boolean {
    for (const row of refused) this.known.delete(instanceKey(row));
    const wasBlind = this.lastReadFailed || readAt - this.lastGoodRead > BLIND_AFTER_MS;
    const listed = new Set<string>();
    for (const { instance, remainingMs } of found) {
      const key = instanceKey(instance);
      listed.add(key);
      this.known.set(key, {
        instance,
        leaseUntil: readAt + remainingMs,
        signatureUntil: this.now() + instance.expiresAt.getTime() - Date.now(),
      });
    }
    for (const [key, known] of this.known) {
      if (listed.has(key)) continue;
      if (known.graceUntil === undefined && wasBlind) known.graceUntil = readAt + LEASE_MS;
      if (known.graceUntil === undefined) this.known.delete(key);
    }
    this.lastReadFailed = false;
    this.lastGoodRead = readAt;
    return this.expire();
  }

  /** Takes out those for whom `gone` is true, at once. */
  drop(gone: (instance: ServiceInstance) => boolean): boolean {
    for (const [key, { instance }] of this.known) if (gone(instance)) this.known.delete(key);
    return this.publish();
  }

  /** Takes out whose time has come. */
  expire(): boolean {
    const now = this.now();
    const { blind } = this;
    for (const [key, known] of this.known) {
      const until = known.graceUntil ?? known.leaseUntil;
      if (known.signatureUntil <= now || (!blind && until <= now)) this.known.delete(key);
    }
    return this.publish();
  }

  /** Milliseconds until `expire` may have something to do; undefined with nobody known. */
  nextExpiryMs(): number | undefined {
    const times = [...this.known.values()].map((known) =>
      Math.min(known.graceUntil ?? known.leaseUntil, known.signatureUntil),
    );
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - this.now());
  }

  private publish(): boolean {
    const next = [...this.known.values()].map((known) => known.instance);
    if (
      next.length === this.snapshot.length &&
      next.every((instance) => this.snapshot.includes(instance))
    )
      return false;
    this.snapshot = Object.freeze(next);
    this.byService = new Map(
      [...Map.groupBy(next, (instance) => instance.service)].map(([name, list]) => [
        name,
        Object.freeze(list),
      ]),
    );
    return true;
  }
}
