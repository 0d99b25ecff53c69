import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identify, isRunning, type ProcessIdentity } from '@gatehouse/launcher';

/** Another launcher runs on the same data. */
export class AlreadyRunning extends Error {
  constructor(readonly launcher: ProcessIdentity) {
    super(`a platform is already running on this data (launcher process ${launcher.pid})`);
  }
}

/**
 * One launcher a data folder. Taken by linking a complete file into place, which exactly one of several can do; what
 * a dead launcher left is moved aside first.
 * @returns what gives it back
 * @throws AlreadyRunning
 */
export function takeLauncherLock(path: string): () => void {
  const me = identify(process.pid);
  if (!me) throw new Error('this process cannot be identified');
  const mine = JSON.stringify(me);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, mine, { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        return () => {
          if (read(path) === mine) rmSync(path, { force: true });
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      removeIfStale(path);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The launcher that holds the lock, if it lives. */
export function runningLauncher(path: string): ProcessIdentity | undefined {
  const holder = parse(read(path));
  return holder && isRunning(holder) ? holder : undefined;
}

function removeIfStale(path: string): void {
  const seen = read(path);
  if (seen === undefined) return;
  const holder = parse(seen);
  if (holder && isRunning(holder)) throw new AlreadyRunning(holder);
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Another start was quicker, and what was moved is its lock: put it back.
  if (read(aside) !== seen) linkSync(aside, path);
  rmSync(aside, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string | undefined): ProcessIdentity | undefined {
  try {
    return text ? (JSON.parse(text) as ProcessIdentity) : undefined;
  } catch {
    return undefined;
  }
}
