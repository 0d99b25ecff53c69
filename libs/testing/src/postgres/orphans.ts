import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, parseRunKey } from '../run-owner.ts';

/** Where the embedded servers of this user's test runs live, a folder each. */
export function runsFolder(): string {
  return join(tmpdir(), `gatehouse-test-postgres-${userInfo().uid}`);
}

/**
 * Ends servers, and deletes folders, of runs that are over though their warden is not there to do it
 * (it was killed). A living warden of such a run is left to finish by itself.
 */
export async function removeOrphans(): Promise<void> {
  for (const name of await readdir(runsFolder())) {
    const owner = parseRunKey(name);
    if (!owner || isAlive(owner)) continue;
    const folder = join(runsFolder(), name);
    if (await wardenLives(folder)) continue;
    await stopServer(join(folder, 'data'));
    await rm(folder, { recursive: true, force: true });
  }
}

async function wardenLives(folder: string): Promise<boolean> {
  try {
    const { pid, startedAt } = JSON.parse(await readFile(join(folder, 'pid.json'), 'utf8')) as {
      pid: number;
      startedAt: string;
    };
    return isAlive({ pid, startedAt });
  } catch {
    return false;
  }
}

/** postmaster.pid: first line the pid, second the data folder, which tells a reused pid apart. */
async function stopServer(data: string): Promise<void> {
  const pid = await readFile(join(data, 'postmaster.pid'), 'utf8').then(
    (text) => Number(text.split('\n')[0]),
    () => undefined,
  );
  if (!pid || !(await isServerOf(pid, data))) return;
  try {
    process.kill(pid, 'SIGQUIT'); // immediate shutdown: the data is thrown away
    for (let i = 0; i < 100; i++) {
      process.kill(pid, 0);
      await sleep(50);
    }
    process.kill(pid, 'SIGKILL');
  } catch {
    // ESRCH: it is gone
  }
}

async function isServerOf(pid: number, data: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(data);
  } catch {
    return process.platform !== 'linux';
  }
}
