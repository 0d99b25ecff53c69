import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import { removeOrphans, runsFolder } from './orphans.ts';
import { currentRunOwner, runKey } from '../run-owner.ts';

export interface PostgresServer {
  /** A superuser's connection to database `postgres`. */
  adminUrl: string;
}

let server: Promise<PostgresServer> | undefined;

/**
 * The PostgreSQL server of this test run: TEST_DATABASE_URL (a superuser's) if set, else one
 * embedded server, started when a test first asks and shared by all of Jest's workers.
 *
 * A warden process of its own keeps the embedded server and stops it as soon as Jest's main process
 * is gone, however that ended. Runs at the same time have a server each. Should the warden itself be
 * killed, the next run on this machine finds and ends what it left.
 */
export async function postgresServer(): Promise<PostgresServer> {
  server ??= process.env.TEST_DATABASE_URL
    ? Promise.resolve({ adminUrl: process.env.TEST_DATABASE_URL })
    : embeddedServer();
  return server;
}

async function embeddedServer(): Promise<PostgresServer> {
  const owner = currentRunOwner();
  const folder = join(runsFolder(), runKey(owner));
  await mkdir(runsFolder(), { recursive: true, mode: 0o711 });
  if (await makeFolder(folder)) {
    await removeOrphans();
    const secret = { password: randomBytes(24).toString('base64url'), owner };
    await writeFile(join(folder, 'warden.json'), JSON.stringify(secret), { mode: 0o600 });
    startWarden(folder);
  }
  const answer = await eventually(
    async () => JSON.parse(await readFile(join(folder, 'answer.json'), 'utf8')) as Answer,
    { timeoutMs: 60_000, intervalMs: 20 },
  );
  if ('error' in answer) throw new Error(`the embedded PostgreSQL did not start: ${answer.error}`);
  return answer;
}

/** What the warden writes, atomically, once it knows. */
type Answer = PostgresServer | { error: string };

/** mkdir is the lock: exactly one worker of a run gets true. 0711, for the server's user to pass. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o711 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function startWarden(folder: string): void {
  const program = fileURLToPath(new URL(`./warden${extname(import.meta.url)}`, import.meta.url));
  const { NODE_OPTIONS: _jestOnly, ...env } = process.env;
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, folder], {
    detached: true,
    stdio: 'ignore',
    env,
  }).unref();
}
