import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { endProcess, identify, readEnd } from '@gatehouse/launcher';
import pg from 'pg';
import { postgresBinaries } from './binaries.ts';
import { PostmasterFile } from './postmaster-file.ts';
import { postgresUser } from './postgres-user.ts';
import { refuseUnreachable } from './reachable.ts';

export interface ClusterOptions {
  dataFolder: string;
  logFile: string;
  password: string;
  port: number;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  password_encryption: 'scram-sha-256',
  log_line_prefix: '%m [%p] %q%u@%d ',
};

/**
 * One PostgreSQL server of this launcher: loopback only, scram passwords, data checksums. Leads a process group of its
 * own, so that a terminal's Ctrl-C leaves it running until the services that use it have stopped.
 */
export class Cluster {
  /** Settles when the server has ended, for whatever reason. */
  readonly exited: Promise<void>;
  private alive = true;

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: ClusterOptions,
  ) {
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        this.alive = false;
        resolve();
      });
    });
  }

  /** Makes the data folder, whole or not at all; one that exists is left alone. */
  static async initialise({ dataFolder, password }: ClusterOptions): Promise<boolean> {
    if (existsSync(join(dataFolder, 'PG_VERSION'))) return false;
    const [{ initdb }, user] = await Promise.all([postgresBinaries(), postgresUser()]);
    if (user.uid !== undefined) refuseUnreachable([initdb, dataFolder]);
    const draft = `${dataFolder}.new`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    const passwordFile = `${draft}.${randomBytes(6).toString('hex')}`;
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
    if (user.uid !== undefined && user.gid !== undefined) {
      chownSync(draft, user.uid, user.gid);
      chownSync(passwordFile, user.uid, user.gid);
    }
    const flags = ['--auth=scram-sha-256', '--username=postgres', `--pwfile=${passwordFile}`];
    flags.push('--data-checksums', '--encoding=UTF8', '--locale=C');
    flags.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8');
    try {
      await promisify(execFile)(initdb, [`--pgdata=${draft}`, ...flags], { ...user, cwd: '/' });
    } catch (cause) {
      throw new Error(`PostgreSQL could not make its data folder: ${reasonOf(cause)}`, {
        cause,
      });
    } finally {
      await rm(passwordFile, { force: true });
    }
    await rename(draft, dataFolder);
    return true;
  }

  /** @throws with the end of its log, where it does not start */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const [{ postgres }, user] = await Promise.all([postgresBinaries(), postgresUser()]);
    if (user.uid !== undefined) refuseUnreachable([postgres, options.dataFolder]);
    new PostmasterFile(options.dataFolder).disownStrangers();
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const log = openSync(options.logFile, 'a', 0o600);
    const child = spawn(
      postgres,
      ['-D', options.dataFolder, '-p', String(options.port), ...settings],
      { ...user, cwd: '/', detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    const cluster = new Cluster(child, options);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    await cluster.ready();
    return cluster;
  }

  /**
   * Stops what a launcher that was killed left running on this folder.
   * @returns its pid, or undefined where nothing ran
   */
  static async stopLeftOver(dataFolder: string): Promise<number | undefined> {
    const server = existsSync(dataFolder) ? new PostmasterFile(dataFolder).server() : undefined;
    if (server) await endProcess(server, { signal: 'SIGINT', graceMs: 30_000 });
    return server?.pid;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.alive;
  }

  urlOf(database: string): string {
    const { password, port } = this.options;
    return `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  }

  /** The platform's own database, made where it is missing. */
  async openDatabase(name: string): Promise<string> {
    await this.query('postgres', async (client) => {
      const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (found.rows.length === 0) await client.query(`CREATE DATABASE ${name}`);
    });
    return this.urlOf(name);
  }

  async version(): Promise<string> {
    return this.query('postgres', async (client) => {
      const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
      return rows[0]?.server_version.split(' ')[0] ?? '';
    });
  }

  /** Fast shutdown: ends connections, writes a checkpoint. `immediate` leaves that to the next start. */
  async stop({ immediate = false } = {}): Promise<void> {
    const identity = this.alive ? identify(this.pid) : undefined;
    if (!identity) return;
    await endProcess(identity, { signal: immediate ? 'SIGQUIT' : 'SIGINT', graceMs: 30_000 });
    await this.exited;
  }

  private async ready(): Promise<void> {
    const until = performance.now() + 60_000;
    let last: unknown;
    while (this.alive && performance.now() < until) {
      try {
        await this.query('postgres', (client) => client.query('SELECT 1'));
        return;
      } catch (error) {
        last = error;
        // 28P01: it is up and does not know the password: waiting does not help.
        if ((error as { code?: string }).code === '28P01') break;
        await sleep(30);
      }
    }
    await this.stop();
    throw new Error(
      `PostgreSQL did not start (${(last as Error | undefined)?.message ?? 'it ended'}). The end of ${this.options.logFile}:\n${readEnd(this.options.logFile)}`,
    );
  }

  private async query<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({
      connectionString: this.urlOf(database),
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

function reasonOf(error: unknown): string {
  return String((error as { stderr?: string }).stderr ?? error).trim();
}
