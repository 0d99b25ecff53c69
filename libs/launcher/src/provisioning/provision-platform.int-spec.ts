import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporaryDatabase, type TemporaryDatabase } from '@gatehouse/testing';
import pg from 'pg';
import { provisionPlatform } from './provision-platform.ts';

const service = (name: string) => ({
  name: `launcher-${name}`,
  prefixes: [`/v1/${name}`],
  namespace: name,
  database: true,
});

describe('provisioning a platform', () => {
  let database: TemporaryDatabase;
  let credentialsDir: string;
  beforeEach(async () => {
    database = await temporaryDatabase();
    credentialsDir = mkdtempSync(join(tmpdir(), 'gatehouse-provision-'));
  });
  afterEach(async () => {
    await database.drop();
    rmSync(credentialsDir, { recursive: true });
  });
  const provision = (...names: string[]) =>
    provisionPlatform({ adminUrl: database.url, credentialsDir, services: names.map(service) });
  const credential = (owner: string, name: string) =>
    readFileSync(join(credentialsDir, owner, name), 'utf8');

  it('gives each service a key of its own and the platform’s public one', async () => {
    await provision('a', 'b');
    expect(credential('launcher-a', 'service-key')).not.toBe(
      credential('launcher-b', 'service-key'),
    );
    for (const owner of ['launcher-a', 'launcher-b', 'platform']) {
      expect(credential(owner, 'trust-anchor')).toMatch(/^-----BEGIN PUBLIC KEY-----/);
      expect(credential(owner, 'trust-anchor')).toBe(credential('platform', 'trust-anchor'));
    }
    expect(credential('platform', 'platform-key')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it.each(['service-key', 'trust-anchor', 'database-url', 'migrator-database-url'])(
    'lets nobody else read %s',
    async (name) => {
      await provision('a');
      const { mode } = statSync(join(credentialsDir, 'launcher-a', name));
      expect(mode & 0o777).toBe(0o600);
    },
  );

  it('changes nothing when it is run again', async () => {
    expect(await provision('a', 'b')).toEqual({
      serial: 1,
      changed: true,
      newDatabase: true,
      reports: [{ engine: 'PostgreSQL', notes: [] }],
    });
    const key = credential('launcher-a', 'service-key');
    const url = credential('launcher-a', 'database-url');
    expect(await provision('a', 'b')).toEqual({
      serial: 1,
      changed: false,
      newDatabase: false,
      reports: [{ engine: 'PostgreSQL', notes: [] }],
    });
    expect(credential('launcher-a', 'service-key')).toBe(key);
    expect(credential('launcher-a', 'database-url')).toBe(url);
  });

  it('publishes the directory in a file as well, the same until it changes', async () => {
    const directoryFile = join(credentialsDir, 'directory.jws');
    const options = { adminUrl: database.url, credentialsDir, directoryFile };
    const publish = async (...names: string[]) => {
      await provisionPlatform({ ...options, services: names.map(service) });
      return readFileSync(directoryFile, 'utf8');
    };
    const first = await publish('a');
    const { services } = JSON.parse(
      Buffer.from(first.split('.')[1] ?? '', 'base64url').toString(),
    ) as { services: { name: string }[] };
    expect(services.map(({ name }) => name)).toEqual(['launcher-a']);
    expect(await publish('a')).toBe(first);
    expect(await publish('a', 'b')).not.toBe(first);
  });

  it('keeps the data of a service that is gone, and says that its role may still log in', async () => {
    await provision('a', 'b');
    const { reports } = await provision('b');
    expect(reports).toEqual([
      {
        engine: 'PostgreSQL',
        notes: [expect.stringContaining('launcher-a_app may still log in') as unknown],
      },
    ]);
  });

  it('raises the directory for a service that is new, and for one that is gone', async () => {
    await provision('a');
    expect(await provision('a', 'b')).toMatchObject({ serial: 2, changed: true });
    expect(await provision('b')).toMatchObject({ serial: 3, changed: true });
  });

  it('lets a service write neither the directory nor another’s schema', async () => {
    await provision('a', 'b');
    const client = new pg.Client({
      connectionString: credential('launcher-a', 'database-url').trim(),
    });
    await client.connect();
    try {
      await expect(client.query(`SELECT platform.directory_write(9, 'x')`)).rejects.toThrow(
        'permission denied',
      );
      await expect(client.query('DELETE FROM platform.directory')).rejects.toThrow(
        'permission denied',
      );
      await expect(client.query('CREATE TABLE "launcher-b".t (n int)')).rejects.toThrow(
        'permission denied',
      );
    } finally {
      await client.end();
    }
  });

  it('refuses services whose paths overlap', async () => {
    await expect(
      provisionPlatform({
        adminUrl: database.url,
        credentialsDir,
        services: [service('a'), { ...service('b'), prefixes: ['/v1/a/b'] }],
      }),
    ).rejects.toThrow('prefixes overlap');
  });
});
