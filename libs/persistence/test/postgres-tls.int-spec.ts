import { Logger } from '@nestjs/common';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
  requireTls,
  TestAuthority,
} from '@gatehouse/testing';
import { jest } from '@jest/globals';
import pg from 'pg';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseProbe } from '../src/database/database-probe.ts';
import { awaitPostgres, Database, migrate, postgresConnection, provision } from '../src/index.ts';

describeWithEngines(['postgres'], () => {
  let set: EngineSet;
  let authority: TestAuthority;
  let stranger: TestAuthority;
  let url: string;

  beforeAll(async () => {
    [authority, stranger, set] = await Promise.all([
      TestAuthority.make(),
      TestAuthority.make(),
      engineSet(['postgres']),
    ]);
    url = set.env.DATABASE_URL ?? '';
    await requireTls(url, await authority.issue('postgres', ['localhost']));
    await eventually(() => encrypted({ mode: 'require' }));
  }, ENGINES_START_MS);
  afterAll(async () => {
    await Promise.all([set.end(), authority.remove(), stranger.remove()]);
  });

  const addressOf = ({ mode, host = 'localhost', ca }: Wanted) => {
    const address = new URL(url);
    address.hostname = host;
    if (mode !== undefined) address.searchParams.set('sslmode', mode);
    return { url: address.href, tlsCa: ca };
  };

  /** Whether the server sees TLS. */
  async function encrypted(wanted: Wanted): Promise<boolean> {
    const client = new pg.Client(postgresConnection(addressOf(wanted)));
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      return rows[0]?.ssl ?? false;
    } finally {
      await client.end();
    }
  }

  it.each([
    ['verify-full, the host of the certificate', { mode: 'verify-full', trusted: true }],
    ['verify-ca, another host', { mode: 'verify-ca', trusted: true, host: '127.0.0.1' }],
    ['require, another host', { mode: 'require', trusted: true, host: '127.0.0.1' }],
    ['require, without an authority', { mode: 'require', host: '127.0.0.1' }],
  ])('is connected to with %s', async (_, { trusted = false, ...wanted }: Case) => {
    expect(await encrypted({ ...wanted, ca: trusted ? authority.ca : undefined })).toBe(true);
  });

  const refusalOf = async (wanted: Wanted, change: (url: URL) => void = () => undefined) => {
    const address = addressOf(wanted);
    const changed = new URL(address.url);
    change(changed);
    const client = new pg.Client(postgresConnection({ ...address, url: changed.href }));
    client.on('error', () => undefined);
    const error = await awaitPostgres(() => client.connect(), {
      url: changed.href,
      withinMs: 5_000,
    }).catch((thrown: unknown) => thrown as Error);
    await client.end().catch(() => undefined);
    return error instanceof Error ? error.message : 'it connected';
  };

  it.each([
    ['another host', { mode: 'verify-full', trusted: true, host: '127.0.0.1' }, 'is for another'],
    ['an authority nobody knows', { mode: 'verify-full' }, 'DATABASE_TLS_CA'],
    ['no TLS at all', {}, 'DATABASE_URL, or its sslmode, is refused'],
  ])('is refused at once with %s, naming the variable', async (_, wanted: Case, why) => {
    const { trusted = false, ...rest } = wanted;
    expect(await refusalOf({ ...rest, ca: trusted ? authority.ca : undefined })).toContain(why);
  });

  it('is refused at once with a certificate of another authority', async () => {
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      expect(await refusalOf({ mode, ca: stranger.ca })).toContain('see DATABASE_TLS_CA');
    }
  });

  it.each<[string, (url: URL) => void, string]>([
    ['a wrong password', (it) => (it.password = 'wrong'), 'the password in DATABASE_URL'],
    ['a database that is not there', (it) => (it.pathname = '/nothing'), 'does not exist'],
  ])('%s ends the wait at once', async (_, change, why) => {
    expect(await refusalOf({ mode: 'require' }, change)).toContain(why);
  });

  it('is what provisioning, migrations, a pool and the health check connect to', async () => {
    const { url: adminUrl, tlsCa } = addressOf({ mode: 'verify-full', ca: authority.ca });
    const credentialsDir = await mkdtemp(join(tmpdir(), 'gatehouse-tls-'));
    const credential = async (name: string) =>
      (await readFile(join(credentialsDir, 'wares', name), 'utf8')).trim();
    const services = [{ name: 'wares', database: true }];
    await provision({ adminUrl, tlsCa, services, platformSql: [], credentialsDir });
    await migrate({
      url: await credential('migrator-database-url'),
      tlsCa,
      schema: 'wares',
      migrations: [{ name: '0001', up: 'CREATE TABLE ware (id int)' }],
    });
    const own = { url: await credential('database-url'), tlsCa };
    const database = new Database({ ...own, schema: 'wares', poolSize: 1, poolTimeoutMs: 5_000 });
    const probe = new DatabaseProbe(own);
    expect(
      await database.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
    ).toEqual([{ ssl: true }]);
    await probe.check();
    await Promise.all([database.close(), probe.close()]);
    await rm(credentialsDir, { recursive: true });
  });

  it('is waited for, visibly, while it is not there yet', async () => {
    const said: string[] = [];
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: string) => void said.push(line));
    await set.stop('postgres');
    const connected = awaitPostgres(() => encrypted({ mode: 'require' }), {
      url,
      withinMs: 60_000,
    });
    await eventually(() => said.length > 0);
    await set.start('postgres').catch(() => undefined);
    expect(await connected).toBe(true);
    expect(said[0]).toContain(
      `waiting for PostgreSQL at 127.0.0.1:${set.ports.postgres}/gatehouse`,
    );
    jest.restoreAllMocks();
  }, 120_000);
});

interface Wanted {
  mode?: string;
  host?: string;
  ca?: string | undefined;
}

interface Case {
  mode?: string;
  host?: string;
  /** Whether the authority of the server is given. */
  trusted?: boolean;
}
