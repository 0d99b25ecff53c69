import { spawn } from 'node:child_process';
import { eventually } from './eventually.ts';

export interface StartProcessOptions {
  /** Added to this process's environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Waited for before the handle is returned: text on stdout or stderr, or a probe. */
  readyWhen?: RegExp | ((child: ChildProcessHandle) => Promise<boolean> | boolean);
  /** How long `readyWhen` may take, in milliseconds. Default 30,000. */
  readyTimeoutMs?: number;
}

export interface ChildProcessHandle {
  readonly pid: number;
  /** Everything written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when the process has ended and its output is complete; never rejects. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** True until the process has ended. */
  readonly running: boolean;
  /** Sends the signal (default SIGTERM) to the process itself and waits for its end, except after SIGSTOP and SIGCONT. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

const groups = new Set<number>();
let hooked = false;

/**
 * Starts a program in a process group of its own. What is left of the group is killed (SIGKILL)
 * when the test file or this process ends, whichever is first.
 */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  { env = {}, cwd, readyWhen, readyTimeoutMs = 30_000 }: StartProcessOptions = {},
): Promise<ChildProcessHandle> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
  }
  let running = true;
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      running = false;
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', resolve);
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command} has no process id`);
  killAtTheEnd(pid, exited);

  const handle: ChildProcessHandle = {
    pid,
    exited,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    get running() {
      return running;
    },
    async kill(signal = 'SIGTERM') {
      child.kill(signal);
      if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await exited;
    },
  };
  if (readyWhen) await untilReady(handle, readyWhen, readyTimeoutMs);
  return handle;
}

async function untilReady(
  child: ChildProcessHandle,
  readyWhen: NonNullable<StartProcessOptions['readyWhen']>,
  timeoutMs: number,
): Promise<void> {
  const ready = async () =>
    readyWhen instanceof RegExp
      ? readyWhen.test(child.stdout) || readyWhen.test(child.stderr)
      : await readyWhen(child);
  try {
    await eventually(async () => !child.running || (await ready()), { timeoutMs });
  } catch (cause) {
    throw new Error(`not ready in ${timeoutMs} ms:\n${tail(child)}`, { cause });
  }
  if (!child.running && !(await ready())) throw new Error(`ended before ready:\n${tail(child)}`);
}

function tail(child: ChildProcessHandle): string {
  return `${child.stdout}\n${child.stderr}`.trim().slice(-4_000);
}

function killAtTheEnd(pid: number, exited: Promise<unknown>): void {
  groups.add(pid);
  if (!hooked) {
    hooked = true;
    process.once('exit', killGroups);
  }
  void exited.then(() => killGroup(pid));
}

function killGroups(): void {
  for (const pid of groups) killGroup(pid);
}

/** A group outlives its leader as long as it has members: helpers of a dead process go with it. */
function killGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left in the group
  }
}

// Jest has an `afterAll` while it loads a test file; outside Jest only the end of the process counts.
const { afterAll } = globalThis as { afterAll?: (fn: () => void) => void };
afterAll?.(killGroups);
