import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createHash } from 'node:crypto';

/** The process whose life bounds that of a test run's server: Jest's main process. */
export interface RunOwner {
  pid: number;
  /** Ticks since boot at which it started (Linux), so that a reused pid is not taken for it. */
  startedAt: string;
}

/** Jest's main process, seen from itself (--runInBand) or from one of its workers. */
export function currentRunOwner(): RunOwner {
  const inWorker = /jest-worker[\\/].*processChild/.test(process.argv[1] ?? '');
  const pid = inWorker ? process.ppid : process.pid;
  return { pid, startedAt: startedAtOf(pid) };
}

export function isAlive({ pid, startedAt }: RunOwner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startedAtOf(pid) === startedAt;
}

/** `<host>_<pid>_<start>`, fit for file and database names; parsed again by `parseRunKey`. */
export function runKey(owner: RunOwner): string {
  return `${hostKey()}_${owner.pid}_${owner.startedAt}`;
}

/** The owner in a run key, if it is one of this machine. */
export function parseRunKey(key: string): RunOwner | undefined {
  const [host, pid, startedAt] = key.split('_');
  if (host !== hostKey() || !pid || !startedAt || !/^\d+$/.test(pid)) return undefined;
  return { pid: Number(pid), startedAt };
}

function hostKey(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
}

/** Field 22 of /proc/<pid>/stat, counted after the parenthesised name, which may hold spaces; '0' where there is no /proc, 'ended' for a zombie. */
export function startedAtOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '0');
  } catch {
    return '0';
  }
}
