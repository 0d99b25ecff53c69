import { provisionedDatabase } from '@gatehouse/persistence/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { discoveryPlatformSql } from '../discovery.platform-sql.ts';
import { contractServices, registryStoreContract } from '../testing/registry-store.contract.ts';
import { TestPlatform } from '../testing/test-platform.ts';
import { PostgresRegistryStore } from './postgres-registry.store.ts';
import { publishDirectory } from '../publishing/publish-directory.ts';

/** A database as `gatehouse provision` leaves it, with a role for each service. */
async function registryDatabase(services: readonly string[]) {
  const database = await provisionedDatabase({
    services: Object.fromEntries(services.map((service) => [service, null])),
    platformSql: discoveryPlatformSql,
  });
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  return {
    admin,
    adminUrl: database.adminUrl,
    urlOf: (service: string) => database.urlOf(service),
    close: async () => {
      await admin.end();
      await database.drop();
    },
  };
}

registryStoreContract('PostgreSQL', async () => {
  const database = await registryDatabase(contractServices);
  return {
    open: (service) => new PostgresRegistryStore({ url: database.urlOf(service) }),
    writeDirectory: async (serial, document) => {
      await database.admin.query('SELECT platform.directory_write($1, $2)', [serial, document]);
    },
    writeDirectoryAs: async (service, serial, document) => {
      const client = new pg.Client(database.urlOf(service));
      await client.connect();
      try {
        await client.query('SELECT platform.directory_write($1, $2)', [serial, document]);
      } finally {
        await client.end();
      }
    },
    loseRows: async () => {
      await database.admin.query('TRUNCATE platform.lease');
    },
    close: () => database.close(),
  };
});

describe('PostgreSQL registry', () => {
  let database: Awaited<ReturnType<typeof registryDatabase>>;
  beforeAll(async () => {
    database = await registryDatabase(['registry-one']);
  });
  afterAll(() => database.close());

  it("a service's role touches the tables only through the functions", async () => {
    const client = new pg.Client(database.urlOf('registry-one'));
    await client.connect();
    for (const statement of [
      'SELECT * FROM platform.lease',
      "INSERT INTO platform.lease VALUES ('registry-one', 'x', 'e', now())",
      'DELETE FROM platform.directory',
      "INSERT INTO platform.directory VALUES (99, 'd')",
      "SELECT platform.directory_write(99, 'd')",
      'DROP FUNCTION platform.lease_list()',
      'SET SESSION AUTHORIZATION platform_owner',
    ])
      await expect(client.query(statement)).rejects.toThrow(/permission denied|must be owner/);
    await client.end();
  });

  it('lets one service hold at most 256 instances', async () => {
    const store = new PostgresRegistryStore({ url: database.urlOf('registry-one') });
    for (let n = 0; n < 256; n++) await store.put('registry-one', `o-${n}`, 'entry', 60_000);
    await expect(store.put('registry-one', 'o-256', 'entry', 60_000)).rejects.toThrow(
      /256 instances/,
    );
    await store.put('registry-one', 'o-0', 'again', 60_000);
    await store.close();
  });

  it('tells its watcher again after its connection was cut', async () => {
    const store = new PostgresRegistryStore({ url: database.urlOf('registry-one') });
    let told = 0;
    let lost = 0;
    const stop = await store.watch(
      () => {
        told++;
      },
      () => {
        lost++;
      },
    );
    await database.admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gatehouse-discovery' AND datname = current_database()`,
    );
    const until = performance.now() + 5_000;
    // Once for what may have been missed.
    while (told === 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toBeGreaterThan(0);
    // An outage too short for any read to fail may still have cost the rows.
    expect(lost).toBe(1);
    const before = told;
    await store.put('registry-one', 'o-1', 'entry', 10_000);
    while (told === before && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toBeGreaterThan(before);
    await stop();
    await store.close();
  });

  it('publishes a directory once, and again only where it says something else', async () => {
    const platform = new TestPlatform();
    const service = (name: string) => ({
      name,
      prefixes: [`/v1/${name}`],
      namespace: name,
      publicKey: platform.keyOf(name).publicKey,
    });
    const publish = (...names: string[]) =>
      publishDirectory({
        adminUrl: database.adminUrl,
        services: names.map(service),
        platformPrivateKey: platform.platformKey.privateKey,
      });
    expect(await publish('orders')).toEqual({ serial: 1, changed: true });
    expect(await publish('orders')).toEqual({ serial: 1, changed: false });
    expect(await publish('orders', 'carts')).toEqual({ serial: 2, changed: true });
    expect(await publish('carts', 'orders')).toEqual({ serial: 2, changed: false });
  });

  it('publishes anew over an older document that was written into the newest row', async () => {
    const platform = new TestPlatform();
    const publish = (...names: string[]) =>
      publishDirectory({
        adminUrl: database.adminUrl,
        services: names.map((name) => ({
          name,
          prefixes: [],
          namespace: name,
          publicKey: platform.keyOf(name).publicKey,
        })),
        platformPrivateKey: platform.platformKey.privateKey,
      });
    const { serial } = await publish('orders', 'carts');
    const { rows } = await database.admin.query<{ document: string }>(
      'SELECT document FROM platform.directory',
    );
    await publish('orders');
    await database.admin.query('UPDATE platform.directory SET document = $1', [rows[0]!.document]);
    expect(await publish('orders', 'carts')).toEqual({ serial: serial + 2, changed: true });
  });

  it('refuses to put an older directory in the place of a newer one', async () => {
    await database.admin.query("SELECT platform.directory_write(50, 'fifty')");
    await expect(
      database.admin.query("SELECT platform.directory_write(49, 'older')"),
    ).rejects.toThrow(/serial 49 or higher/);
    await expect(
      database.admin.query("SELECT platform.directory_write(50, 'same')"),
    ).rejects.toThrow(/serial 50 or higher/);
  });
});
