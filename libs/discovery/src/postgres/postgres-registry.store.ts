import { setTimeout as sleep } from 'node:timers/promises';
import {
  describePostgres,
  followAddress,
  type PostgresAddress,
  postgresConnection,
  postgresRefusal,
} from '@gatehouse/persistence';
import pg from 'pg';
import { RegistryStore, type StoredEntry } from '../registry.store.ts';

const TIMEOUT_MS = 2_000;
const RECONNECT_MS = 1_000;

/**
 * The registry as a lease table in PostgreSQL (`registrySql`), with its own small pool, since the gateway has no
 * other. NOTIFY wakes watchers; the connection that listens is opened again whenever it breaks.
 */
export class PostgresRegistryStore extends RegistryStore {
  readonly engine;
  private readonly pool: pg.Pool;
  private readonly watches = new Set<() => Promise<void>>();

  /**
   * @param address of the service's `<service>_app` role: what may be written follows from it
   */
  constructor(private readonly address: PostgresAddress) {
    super();
    this.engine = {
      engine: 'PostgreSQL',
      variable: 'DATABASE_URL',
      address: describePostgres(address.url),
      refusal: (error: unknown) => postgresRefusal(error),
    };
    this.pool = new pg.Pool({ ...this.connection(), max: 2, idleTimeoutMillis: 10_000 });
    // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
    this.pool.on('error', () => undefined);
    followAddress(this.pool, address);
  }

  async put(service: string, instanceId: string, entry: string, leaseMs: number): Promise<void> {
    await this.pool.query('SELECT platform.lease_put($1, $2, $3, $4)', [
      service,
      instanceId,
      entry,
      leaseMs,
    ]);
  }

  async renew(service: string, instanceId: string, leaseMs: number): Promise<boolean> {
    const { rows } = await this.pool.query<{ renewed: boolean }>(
      'SELECT platform.lease_renew($1, $2, $3) AS renewed',
      [service, instanceId, leaseMs],
    );
    return rows[0]?.renewed === true;
  }

  async remove(service: string, instanceId: string): Promise<void> {
    await this.pool.query('SELECT platform.lease_remove($1, $2)', [service, instanceId]);
  }

  async list(): Promise<StoredEntry[]> {
    const { rows } = await this.pool.query<StoredEntry>(
      'SELECT service, instance_id AS "instanceId", entry, remaining_ms AS "remainingMs" FROM platform.lease_list()',
    );
    return rows;
  }

  async readDirectory(): Promise<string | undefined> {
    const { rows } = await this.pool.query<{ document: string | null }>(
      'SELECT platform.directory_read() AS document',
    );
    return rows[0]?.document ?? undefined;
  }

  /** The first connection is made before this resolves; a later break is mended in the background. */
  async watch(
    onChange: () => void,
    onLost: () => void = () => undefined,
  ): Promise<() => Promise<void>> {
    const abort = new AbortController();
    const first = await this.listen(onChange);
    const running = this.keepListening(first, { onChange, onLost }, abort.signal);
    const stop = async (): Promise<void> => {
      this.watches.delete(stop);
      abort.abort();
      await running;
    };
    this.watches.add(stop);
    return stop;
  }

  /** Ends watches and connections. */
  async close(): Promise<void> {
    await Promise.all([...this.watches].map((stop) => stop()));
    await this.pool.end();
  }

  private async keepListening(
    first: pg.Client,
    { onChange, onLost }: { onChange: () => void; onLost: () => void },
    signal: AbortSignal,
  ): Promise<void> {
    let client: pg.Client | undefined = first;
    for (;;) {
      if (client) await closed(client, signal);
      if (signal.aborted) break;
      if (client) onLost();
      client = await this.listen(onChange).catch(() => undefined);
      // Whatever happened in between was not heard.
      if (client) onChange();
      else await sleep(RECONNECT_MS, undefined, { signal }).catch(() => undefined);
    }
    await client?.end().catch(() => undefined);
  }

  private async listen(onChange: () => void): Promise<pg.Client> {
    const client = new pg.Client(this.connection());
    client.on('error', () => undefined);
    client.on('notification', onChange);
    try {
      await client.connect();
      await client.query('LISTEN gatehouse_registry');
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  private connection(): pg.ClientConfig {
    return {
      ...postgresConnection(this.address),
      application_name: 'gatehouse-discovery',
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      keepAlive: true,
    };
  }
}

/** Resolves when the connection has ended or the signal fires. */
function closed(client: pg.Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    client.once('end', () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
