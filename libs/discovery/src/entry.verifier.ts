import type { KeyObject } from 'node:crypto';
import type { Directory } from './directory.ts';
import { EntryRefused, type ServiceInstance, verifyEntry } from './documents/instance.entry.ts';
import type { StoredEntry } from './registry.store.ts';

interface Verified {
  entry: string;
  key: KeyObject;
  instance: ServiceInstance;
}

/**
 * Decides whether a row of the registry may be used, against the directory as it is now.
 *
 * A row is refused where its service is not in the directory, the signature does not hold under that service's
 * key or has expired, the entry speaks of another service or instance than the row it stands in, or a later
 * signature of the same instance was seen before. Verified rows are remembered, so that a poll verifies only news.
 */
export class EntryVerifier {
  private readonly newest = new Map<string, Verified>();

  constructor(private readonly directory: Directory) {}

  /** @throws {EntryRefused} */
  async verify(row: StoredEntry, now = Date.now()): Promise<ServiceInstance> {
    const service = this.directory.service(row.service);
    if (!service)
      throw new EntryRefused('unknown-service', `the directory lists no service "${row.service}"`);
    const key = instanceKey(row);
    const known = this.newest.get(key);
    if (known?.entry === row.entry && known.key.equals(service.publicKey)) {
      if (known.instance.expiresAt.getTime() <= now)
        throw new EntryRefused('expired', 'the signature has expired');
      return known.instance;
    }
    const instance = await verifyEntry(row.entry, service.publicKey, now);
    if (instance.service !== row.service || instance.instanceId !== row.instanceId)
      throw new EntryRefused(
        'misplaced',
        `signed for ${instance.service}/${instance.instanceId}, found at ${row.service}/${row.instanceId}`,
      );
    if (
      known &&
      known.key.equals(service.publicKey) &&
      known.instance.signedAt >= instance.signedAt
    )
      throw new EntryRefused('superseded', 'a later signature of this instance was seen');
    this.newest.set(key, { entry: row.entry, key: service.publicKey, instance });
    return instance;
  }

  /** Whether the directory, as it is now, still lists the key this instance was verified with. */
  stillHolds(instance: ServiceInstance): boolean {
    const service = this.directory.service(instance.service);
    return (
      service !== undefined &&
      this.newest.get(instanceKey(instance))?.key.equals(service.publicKey) === true
    );
  }

  /** Forgets signatures that have expired and could not be replayed any more. */
  forgetExpired(now = Date.now()): void {
    for (const [key, { instance }] of this.newest)
      if (instance.expiresAt.getTime() <= now) this.newest.delete(key);
  }
}

/** One string for one instance of one service; neither part can hold the separator. */
export function instanceKey(instance: { service: string; instanceId: string }): string {
  return `${instance.service}\n${instance.instanceId}`;
}
