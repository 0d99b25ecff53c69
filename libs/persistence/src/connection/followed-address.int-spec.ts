import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInScope } from '@gatehouse/kernel';
import { temporaryDatabase, type TemporaryDatabase } from '@gatehouse/testing';
import pg from 'pg';
import { sqlState } from '../database/database-error.ts';
import { Database } from '../database/database.ts';
import { PersistenceConfig } from '../persistence.config.ts';
import { provision } from '../provisioning/provision.ts';
import { followAddress, followedAddress } from './followed-address.ts';
import { type PostgresAddress, postgresConnection } from './postgres-address.ts';

const SERVICE = 'rotating';

describe('a password that changes while the process runs', () => {
  let database: TemporaryDatabase;
  let credentialsDir: string;
  let address: PostgresAddress;
  const provisioned = (rotate: boolean) =>
    provision({
      adminUrl: database.url,
      services: [{ name: SERVICE, database: true }],
      platformSql: [],
      credentialsDir,
      rotate,
    });

  beforeAll(async () => {
    database = await temporaryDatabase();
    credentialsDir = await mkdtemp(join(tmpdir(), 'gatehouse-rotate-'));
    await provisioned(false);
    const env = { GATEHOUSE_CREDENTIALS_DIR: join(credentialsDir, SERVICE) };
    address = runInScope({ env, packageDir: '.' }, () => followedAddress(new PersistenceConfig()));
  });
  afterAll(async () => {
    await database.drop();
    await rm(credentialsDir, { recursive: true });
  });

  it('is taken by each new connection, also of those that are opened in its very moment', async () => {
    // One statement a connection: there is no moment in which none is opened.
    const pool = new pg.Pool({ ...postgresConnection(address), max: 4, maxUses: 1 });
    followAddress(pool, address);
    let going = true;
    const errors: unknown[] = [];
    const work = async () => {
      while (going) {
        await pool.query('SELECT 1').catch((error: unknown) => errors.push(error));
      }
    };
    const workers = Array.from({ length: 4 }, work);
    const before = postgresConnection(address).connectionString;
    for (let round = 0; round < 5; round++) await provisioned(true);
    going = false;
    await Promise.all(workers);
    expect(errors).toEqual([]);

    const earlier = new pg.Client({ connectionString: before });
    const refused = await earlier.connect().catch(sqlState);
    expect(refused).toBe('28P01');
    expect(postgresConnection(address).connectionString).not.toBe(before);
    await pool.end();
  });

  it('is taken by the pool of a schema', async () => {
    const schema = new Database({ ...address, schema: SERVICE, poolSize: 2, poolTimeoutMs: 2_000 });
    await schema.connect();
    await provisioned(true);
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1`,
      [`${SERVICE}_app`],
    );
    await admin.end();
    const ask = () => schema.query('SELECT 1 AS one');
    expect(await schema.transaction(ask)).toEqual([{ one: 1 }]);
    expect(await ask()).toEqual([{ one: 1 }]);
    await schema.close();
  });

  it('changes nothing while its file cannot be read', async () => {
    const held = postgresConnection(address).connectionString;
    await rm(join(credentialsDir, SERVICE, 'database-url'));
    expect(postgresConnection(address).connectionString).toBe(held);
  });
});
