import { execFileSync, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Starts a module as a process of its own and waits until it sends its `{ port }`. */
export function start(url, args = [], env = {}) {
  const child = fork(url, args.map(String), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', ({ port }) => resolve({ child, port }));
    child.once('exit', (code) => reject(new Error(`${url} ended with ${code}`)));
  });
}

export function stop({ child }) {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.removeAllListeners('message');
  child.kill('SIGTERM');
  return ended;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']).toString());

/** Seconds of CPU a process has used, in user and system mode together (proc_pid_stat(5)). */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name may hold spaces: fields are counted from behind its bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Proportional set size in bytes: memory shared with others counted by its share. */
export function proportionalMemory(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
}
