import { RegistryStore, type StoredEntry } from '../registry.store.ts';

/** What several `MemoryRegistryStore`s share: the registry of one test. */
export class MemoryRegistry {
  readonly rows = new Map<
    string,
    { service: string; instanceId: string; entry: string; expiresAt: number }
  >();
  readonly watchers = new Set<() => void>();
  directory: string | undefined;
  /** While true every call rejects, as with an engine that is down. */
  down = false;

  changed(): void {
    for (const watcher of [...this.watchers]) queueMicrotask(watcher);
  }

  /** As the provisioner writes it. */
  writeDirectory(document: string): void {
    this.directory = document;
    this.changed();
  }

  /** As an engine that came back empty. */
  loseRows(): void {
    this.rows.clear();
  }
}

/** A registry in memory for tests of those who use one. @param principal the service that may write */
export class MemoryRegistryStore extends RegistryStore {
  readonly engine = {
    engine: 'the memory of a test',
    variable: 'NONE',
    address: 'memory',
    refusal: () => undefined,
  };

  constructor(
    private readonly registry: MemoryRegistry,
    private readonly principal: string,
  ) {
    super();
  }

  async put(service: string, instanceId: string, entry: string, leaseMs: number): Promise<void> {
    this.check(service);
    this.registry.rows.set(`${service}/${instanceId}`, {
      service,
      instanceId,
      entry,
      expiresAt: performance.now() + leaseMs,
    });
    this.registry.changed();
    await Promise.resolve();
  }

  async renew(service: string, instanceId: string, leaseMs: number): Promise<boolean> {
    this.check(service);
    const row = this.registry.rows.get(`${service}/${instanceId}`);
    if (!row || row.expiresAt <= performance.now()) return Promise.resolve(false);
    row.expiresAt = performance.now() + leaseMs;
    return Promise.resolve(true);
  }

  async remove(service: string, instanceId: string): Promise<void> {
    this.check(service);
    if (this.registry.rows.delete(`${service}/${instanceId}`)) this.registry.changed();
    await Promise.resolve();
  }

  async list(): Promise<StoredEntry[]> {
    this.check();
    const now = performance.now();
    return Promise.resolve(
      [...this.registry.rows.values()]
        .filter((row) => row.expiresAt > now)
        .map(({ service, instanceId, entry, expiresAt }) => ({
          service,
          instanceId,
          entry,
          remainingMs: expiresAt - now,
        })),
    );
  }

  async watch(onChange: () => void): Promise<() => Promise<void>> {
    this.registry.watchers.add(onChange);
    return Promise.resolve(() => {
      this.registry.watchers.delete(onChange);
      return Promise.resolve();
    });
  }

  async readDirectory(): Promise<string | undefined> {
    this.check();
    return Promise.resolve(this.registry.directory);
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  private check(service = this.principal): void {
    if (this.registry.down) throw new Error('the registry is down');
    if (service !== this.principal)
      throw new Error(`${this.principal} may not write instances of ${service}`);
  }
}
