import { type ChildProcess, spawn } from 'node:child_process';
import { constants, openSync, closeSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnd, sizeOf } from './read-end.ts';

/** Where a service that runs can be reached, as it said itself. */
export interface ServiceAddresses {
  /** `http://host:port` */
  httpUrl: string;
  adminUrl: string;
  /** `host:port`; absent where it serves no gRPC. */
  grpcAddress?: string;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServiceProcessOptions {
  name: string;
  mainFile: string;
  env: Record<string, string>;
  /** Its output is appended here, by the process itself: lines survive the launcher. Mode 0600. */
  logFile: string;
  /** A command to run instead of serving: `['migrate']`. */
  args?: readonly string[];
}

/**
 * One run of a service. It leads a process group of its own, so that a terminal's Ctrl-C reaches the launcher alone,
 * which then stops things in order; and it holds an IPC channel, so that it stops by itself when the launcher is gone.
 */
export class ServiceProcess {
  readonly pid: number;
  /** Settles with the process; never rejects. */
  readonly exited: Promise<Exit>;
  private exit: Exit | undefined;
  private readonly announced: Promise<ServiceAddresses>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: ServiceProcessOptions,
    /** Where its own lines begin in the log. */
    private readonly logStart: number,
  ) {
    this.pid = child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
    this.announced = new Promise((resolve) => {
      child.on('message', (message: { type?: string } & ServiceAddresses) => {
        const { type, httpUrl, adminUrl, grpcAddress } = message;
        if (type === 'ready') resolve({ httpUrl, adminUrl, ...(grpcAddress && { grpcAddress }) });
      });
    });
  }

  /** @throws where the program cannot be run at all */
  static async spawn(options: ServiceProcessOptions): Promise<ServiceProcess> {
    mkdirSync(dirname(options.logFile), { recursive: true });
    const logStart = sizeOf(options.logFile);
    const { O_APPEND, O_CREAT, O_WRONLY } = constants;
    const log = openSync(options.logFile, O_APPEND | O_CREAT | O_WRONLY, 0o600);
    try {
      const child = spawn(process.execPath, [options.mainFile, ...(options.args ?? [])], {
        cwd: dirname(dirname(options.mainFile)),
        env: options.env,
        detached: true,
        stdio: ['ignore', log, log, 'ipc'],
      });
      const started = new ServiceProcess(child, options, logStart);
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.on('error', () => undefined); // a failed kill or send: `exited` tells what matters
      return started;
    } finally {
      closeSync(log);
    }
  }

  get running(): boolean {
    return this.exit === undefined;
  }

  /**
   * Waits until the service says where it listens and its /health/ready answers 200.
   * @throws with the end of its log, where it ends first or time is up
   */
  async ready(timeoutMs = 60_000): Promise<ServiceAddresses> {
    const until = performance.now() + timeoutMs;
    const late = sleep(timeoutMs, 'late' as const, { ref: false });
    const first = await Promise.race([this.announced, this.exited, late]);
    if (first === 'late') throw this.failure(`is not ready after ${timeoutMs / 1000} s`);
    if (!('httpUrl' in first)) throw this.failure(describeExit(first));
    while (!(await isReady(first.adminUrl))) {
      if (this.exit) throw this.failure(describeExit(this.exit));
      if (performance.now() > until) throw this.failure(`is not ready after ${timeoutMs / 1000} s`);
      await sleep(25);
    }
    return first;
  }

  /** SIGTERM, and SIGKILL after `graceMs`, by default longer than a service gives itself. Returns when it is gone. */
  async stop(graceMs = 35_000): Promise<Exit> {
    if (!this.running) return this.exited;
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.killGroup(), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** To the process itself. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGKILL to the process and whatever it started. */
  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // ESRCH: nobody is left in the group
    }
  }

  /** An error with the last lines that the service wrote. */
  failure(what: string): Error {
    const { name, logFile } = this.options;
    const end = readEnd(logFile, { from: this.logStart });
    return new Error(`${name} ${what}. The end of ${logFile}:\n${end}`);
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code ?? '?'}`;
}

async function isReady(adminUrl: string): Promise<boolean> {
  try {
    const answer = await fetch(`${adminUrl}/health/ready`, { signal: AbortSignal.timeout(3_000) });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
