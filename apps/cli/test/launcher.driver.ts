import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildProcessHandle, freePort, startProcess } from '@gatehouse/testing';

const MAIN = join(import.meta.dirname, '..', 'dist', 'main.js');

interface State {
  profile: 'embedded' | 'scale';
  launcher: { pid: number };
  services: Record<string, { pid: number; admin_url?: string }>;
  ready: boolean;
}

/** The `gatehouse` command as a person uses it, on data and ports of its own. */
export class Launcher {
  private last: ChildProcessHandle | undefined;

  private constructor(
    readonly folder: string,
    readonly gatewayPort: number,
    private readonly env: Record<string, string | undefined>,
  ) {}

  /** @param env besides: of the engines, for a platform of the scale profile */
  static async make(env: Record<string, string> = {}): Promise<Launcher> {
    const parent = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
    // Run as root, PostgreSQL is another user's, who must be able to pass through.
    chmodSync(parent, 0o711);
    const folder = join(parent, 'data');
    const [gateway, admin] = [await freePort(), await freePort()];
    return new Launcher(folder, gateway, {
      ...env,
      GATEHOUSE_DATA_DIR: folder,
      GATEWAY_PORT: String(gateway),
      GATEWAY_ADMIN_PORT: String(admin),
      NODE_OPTIONS: undefined, // Jest's own
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.gatewayPort}`;
  }

  /** Until the table is printed. */
  start(...options: string[]): Promise<ChildProcessHandle> {
    return this.startUntil(/Ctrl-C stops everything/, ...options);
  }

  /** Until it says so. */
  async startUntil(readyWhen: RegExp, ...options: string[]): Promise<ChildProcessHandle> {
    this.last = await startProcess(process.execPath, [MAIN, 'start', ...options], {
      env: this.env,
      readyWhen,
      readyTimeoutMs: 120_000,
    });
    return this.last;
  }

  /** To its end, whatever that is. */
  async run(...args: string[]): Promise<{ code: number; output: string }> {
    return this.runWith({}, ...args);
  }

  /** With this in its environment besides. */
  async runWith(
    changed: Record<string, string>,
    ...args: string[]
  ): Promise<{ code: number; output: string }> {
    return new Promise((resolve) => {
      const env = { ...process.env, ...this.env, ...changed };
      execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
      });
    });
  }

  state(): State {
    return JSON.parse(readFileSync(join(this.folder, 'state.json'), 'utf8')) as State;
  }

  pidOf(service: string): number {
    const { services } = this.state();
    return services[service]?.pid ?? 0;
  }

  postgresPid(): number {
    return Number(
      readFileSync(join(this.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
  }

  /** Everything that runs for this platform besides the launcher. */
  pids(): number[] {
    return [this.postgresPid(), ...Object.values(this.state().services).map(({ pid }) => pid)];
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Ends whatever a failed test left. */
  async remove(): Promise<void> {
    if (this.last?.running) await this.last.kill('SIGKILL');
    const { profile } = existsSync(this.file('state.json')) ? this.state() : { profile: '' };
    // Of the scale profile the data are elsewhere, and reset refuses.
    if (profile === 'embedded') await this.run('reset', '--yes');
    rmSync(join(this.folder, '..'), { recursive: true, force: true });
  }
}

export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
