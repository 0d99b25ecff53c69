import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from '@gatehouse/testing';
import pg from 'pg';
import { Cluster, type ClusterOptions } from './cluster.ts';

describe('the embedded PostgreSQL', () => {
  let folder: string;
  let options: ClusterOptions;
  let cluster: Cluster;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'));
    chmodSync(folder, 0o711);
    options = {
      dataFolder: join(folder, 'postgres'),
      logFile: join(folder, 'postgres.log'),
      password: 'a password with / and @',
      port: await freePort(),
    };
    await Cluster.initialise(options);
    cluster = await Cluster.start(options);
  }, 60_000);
  afterAll(async () => {
    await cluster.stop({ immediate: true });
    rmSync(folder, { recursive: true });
  });

  const ask = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, string>>(sql)).rows[0];
    } finally {
      await client.end();
    }
  };
  const pidFile = () => join(options.dataFolder, 'postmaster.pid');

  it('checks its pages and stores passwords as scram verifiers', async () => {
    const url = cluster.urlOf('postgres');
    expect(await ask(url, 'SHOW data_checksums')).toEqual({ data_checksums: 'on' });
    expect(await ask(url, 'SHOW password_encryption')).toEqual({
      password_encryption: 'scram-sha-256',
    });
  });

  it('lets in only who knows the password, from this machine', async () => {
    const url = new URL(cluster.urlOf('postgres'));
    url.password = 'wrong';
    await expect(ask(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    const { listen_addresses } = (await ask(cluster.urlOf('postgres'), 'SHOW listen_addresses'))!;
    expect(listen_addresses).toBe('127.0.0.1');
  });

  it('has a data folder of its own alone', () => {
    expect(statSync(options.dataFolder).mode & 0o077).toBe(0);
  });

  it('is not made anew', async () => {
    expect(await Cluster.initialise(options)).toBe(false);
  });

  it('keeps what a database holds over a restart', async () => {
    const url = await cluster.openDatabase('kept');
    await ask(url, 'CREATE TABLE notes AS SELECT 1 AS n');
    await cluster.stop();
    expect(cluster.running).toBe(false);
    cluster = await Cluster.start(options);
    expect(await ask(await cluster.openDatabase('kept'), 'SELECT n FROM notes')).toEqual({ n: 1 });
  });

  it('left running by a launcher that is gone is found and stopped', async () => {
    expect(await Cluster.stopLeftOver(options.dataFolder)).toBe(cluster.pid);
    await cluster.exited;
    expect(await Cluster.stopLeftOver(options.dataFolder)).toBeUndefined();
    cluster = await Cluster.start(options);
  });

  it('starts although its pid file names a pid that is another program’s by now', async () => {
    process.kill(cluster.pid, 'SIGKILL');
    await cluster.exited;
    const lines = readFileSync(pidFile(), 'utf8').split('\n');
    // A program of this test run that nobody would take for PostgreSQL.
    writeFileSync(pidFile(), [process.ppid, ...lines.slice(1)].join('\n'));
    expect(await Cluster.stopLeftOver(options.dataFolder)).toBeUndefined();
    // Workers of the killed server may hold its memory for a moment: PostgreSQL refuses until they are gone.
    cluster = await eventually(() => Cluster.start(options), { timeoutMs: 20_000 });
    expect(await ask(cluster.urlOf('kept'), 'SELECT n FROM notes')).toEqual({ n: 1 });
  }, 30_000);

  it('that cannot start says why, from its log', async () => {
    await expect(Cluster.start({ ...options, port: await freePort() })).rejects.toThrow(
      /lock file "postmaster.pid" already exists/,
    );
  });
});
