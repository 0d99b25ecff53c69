import { ConsulRegistryStore, type DirectoryTarget } from '@gatehouse/discovery';
import type { TestPlatform } from '@gatehouse/testing-platform';

/**
 * The registry of a platform in the hands of one who may write anything there: a superuser of the database, or whoever
 * reaches a Consul without access rules.
 */
export interface WritableRegistry {
  put(service: string, instanceId: string, entry: string): Promise<void>;
  /** Takes back what was put. */
  withdraw(): Promise<void>;
  /** The entry of an instance of the service. */
  entryOf(service: string): Promise<string>;
  readDirectory(): Promise<string>;
  /** Puts an older document back, as it was. */
  restoreDirectory(document: string): Promise<void>;
  /** Where the provisioner publishes. */
  readonly target: DirectoryTarget;
}

export function writableRegistryOf(platform: TestPlatform): WritableRegistry {
  const { CONSUL_HTTP_ADDR: address } = platform.engineAddresses;
  return address === undefined ? new LeaseTable(platform) : new Consul(address);
}

class LeaseTable implements WritableRegistry {
  readonly target;

  constructor(private readonly platform: TestPlatform) {
    this.target = { adminUrl: platform.databaseUrl };
  }

  async put(service: string, instanceId: string, entry: string): Promise<void> {
    await this.query(
      `INSERT INTO platform.lease (service, instance_id, entry, expires_at)
       VALUES ($1, $2, $3, now() + interval '1 minute')`,
      [service, instanceId, entry],
    );
    await this.announce();
  }

  async withdraw(): Promise<void> {
    await this.query(`DELETE FROM platform.lease WHERE instance_id LIKE 'rogue-%'`);
  }

  async entryOf(service: string): Promise<string> {
    const sql = 'SELECT entry FROM platform.lease WHERE service = $1';
    const [lease] = await this.query<{ entry: string }>(sql, [service]);
    return there(lease).entry;
  }

  async readDirectory(): Promise<string> {
    const sql = 'SELECT document FROM platform.directory';
    const [row] = await this.query<{ document: string }>(sql);
    return there(row).document;
  }

  async restoreDirectory(document: string): Promise<void> {
    await this.query('UPDATE platform.directory SET document = $1', [document]);
    await this.announce();
  }

  private announce() {
    return this.query(`SELECT pg_notify('gatehouse_registry', '')`);
  }

  private get query() {
    return this.platform.database('platform');
  }
}

class Consul implements WritableRegistry {
  readonly target;
  private readonly rogues: [service: string, instanceId: string][] = [];

  constructor(private readonly address: string) {
    this.target = { consul: { address } };
  }

  async put(service: string, instanceId: string, entry: string): Promise<void> {
    this.rogues.push([service, instanceId]);
    await this.withStore((store) => store.put(service, instanceId, entry, 60_000));
  }

  async withdraw(): Promise<void> {
    for (const rogue of this.rogues.splice(0)) {
      await this.withStore((store) => store.remove(...rogue));
    }
  }

  async entryOf(service: string): Promise<string> {
    const all = await this.withStore((store) => store.list());
    return there(all.find((each) => each.service === service)).entry;
  }

  async readDirectory(): Promise<string> {
    return there(await this.withStore((store) => store.readDirectory()));
  }

  async restoreDirectory(document: string): Promise<void> {
    const url = `${this.address}/v1/kv/gatehouse/directory`;
    const { status } = await fetch(url, { method: 'PUT', body: document });
    if (status !== 200) throw new Error(`Consul answered ${status}`);
  }

  private async withStore<T>(work: (store: ConsulRegistryStore) => Promise<T>): Promise<T> {
    const store = new ConsulRegistryStore({ address: this.address });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }
}

function there<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('the registry does not hold it');
  return found;
}
