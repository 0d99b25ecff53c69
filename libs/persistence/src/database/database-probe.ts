import pg from 'pg';
import { followAddress } from '../connection/followed-address.ts';
import { type PostgresAddress, postgresConnection } from '../connection/postgres-address.ts';

const TIMEOUT_MS = 1_000;

/** Whether the database answers, asked on a connection of its own, so that an exhausted pool is not taken for an outage. */
export class DatabaseProbe {
  private readonly pool: pg.Pool;

  constructor(address: PostgresAddress) {
    this.pool = new pg.Pool({
      ...postgresConnection(address),
      max: 1,
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS,
      application_name: 'gatehouse-health',
    });
    this.pool.on('error', () => undefined);
    followAddress(this.pool, address);
  }

  /** @throws when there is no answer within a second */
  async check(): Promise<void> {
    await this.pool.query('SELECT 1');
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
