import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
const NX = 'node_modules/nx/dist/bin/nx.js';
const COMMAND = 'apps/cli/dist/main.js';
const MANY = 64 * 1024 * 1024;

export interface Answer {
  status: number;
  body: Record<string, unknown> & { items?: Record<string, unknown>[] };
}

/**
 * The workspace as a team has it: a copy with packages of its own, in git, with a platform of its own that runs. What is
 * generated, installed and built here touches nothing else.
 *
 * The copy is made of this repository's files. One made of the published packages is the same from here on: only `open`
 * differs.
 */
export class Workshop {
  readonly root = mkdtempSync(join(tmpdir(), 'gatehouse-workshop-'));
  private readonly processes: ChildProcess[] = [];
  private readonly env: NodeJS.ProcessEnv;
  private token = '';

  private constructor(
    private readonly gatewayPort: number,
    private readonly gatewayAdminPort: number,
  ) {
    // What runs Nx here is not for an Nx over there, nor are Jest's flags.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(NX_|NODE_OPTIONS$|GIT_|npm_)/.test(name),
    );
    this.env = {
      ...Object.fromEntries(inherited),
      PATH: `${join(this.root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
      NX_DAEMON: 'false',
      NO_COLOR: '1',
      GATEHOUSE_DATA_DIR: join(this.root, '.gatehouse'),
      GATEWAY_PORT: String(gatewayPort),
      GATEWAY_ADMIN_PORT: String(gatewayAdminPort),
      npm_config_prefer_offline: 'true',
    };
  }

  static async open(): Promise<Workshop> {
    const [gateway, admin] = await Promise.all([freePort(), freePort()]);
    const workshop = new Workshop(gateway, admin);
    workshop.copy();
    return workshop;
  }

  /** @returns what it printed @throws with that, where it fails */
  run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.root, env: { ...this.env, ...env }, maxBuffer: MANY };
      execFile(file, args, options, (error, stdout, stderr) => {
        if (error) reject(new Error(`${file} ${args.join(' ')}\n${stdout}\n${stderr}`));
        else resolve(stdout);
      });
    });
  }

  nx(...args: string[]): Promise<string> {
    return this.run(process.execPath, [NX, ...args]);
  }

  /** As `npm start` does: builds what is not built, then runs until it is stopped. */
  async bringUp(): Promise<void> {
    await this.run(process.execPath, ['apps/cli/bin/build.js']);
    await this.spawn([COMMAND, 'start'], /Ctrl-C stops everything/).ready;
    await this.logIn();
  }

  /** `npx nx serve <name>`. @returns what ends it as Ctrl-C does */
  serve(name: string): { stop: () => Promise<void>; output: () => string } {
    const { child, output } = this.spawn([NX, 'serve', name]);
    return { stop: () => ended(child, 'SIGINT'), output };
  }

  /** At the gateway, as the administrator. */
  async call(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${this.gatewayPort}${path}`, {
      method,
      headers: {
        ...(this.token !== '' && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
    return { status: answer.status, body: (json ? JSON.parse(text) : { text }) as Answer['body'] };
  }

  async gatewayMetrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.gatewayAdminPort}/metrics`)).text();
  }

  /** What git says has changed since the copy was made, `?? apps/orders/` as `git status --short`. */
  status(): string[] {
    return this.git('status', '--short')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim());
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Ends what is left, and takes everything away. */
  async close(): Promise<void> {
    for (const child of this.processes.reverse()) await ended(child, 'SIGTERM');
    await this.run(process.execPath, [COMMAND, 'reset', '--yes']).catch(() => undefined);
    rmSync(this.root, { recursive: true, force: true });
  }

  private copy(): void {
    // Run as root, PostgreSQL is another user's, who must be able to pass through.
    chmodSync(this.root, 0o755);
    const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
    const files = execFileSync('git', listed, { cwd: WORKSPACE, maxBuffer: MANY });
    for (const file of files.toString().split('\0').filter(Boolean)) {
      // A file that was deleted and not committed yet is still listed.
      cpSync(join(WORKSPACE, file), join(this.root, file), { force: true, errorOnExist: false });
    }
    for (const folder of ['.', ...packagesWithModules()]) {
      const [from, to] = [WORKSPACE, this.root].map((root) => join(root, folder, 'node_modules'));
      // Links within the workspace are relative, so that they lead to the copy's own packages. The files are shared (where
      // the disk allows) until npm puts others in their place.
      hardLink(from ?? '', to ?? '');
    }
    // npm writes this one in place: shared, it would say of the other workspace what is true of this one.
    const hidden = 'node_modules/.package-lock.json';
    const text = readFileSync(join(WORKSPACE, hidden));
    rmSync(join(this.root, hidden));
    writeFileSync(join(this.root, hidden), text);
    this.git('init', '--quiet', '--initial-branch=main');
    this.git('add', '--all');
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    this.git(...author, '-c', 'commit.gpgsign=false', 'commit', '--quiet', '-m', 'base');
  }

  private git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.root, env: this.env, encoding: 'utf8' });
  }

  private spawn(args: string[], readyWhen?: RegExp) {
    let output = '';
    const child = spawn(process.execPath, args, {
      cwd: this.root,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.processes.push(child);
    const ready = new Promise<void>((resolve, reject) => {
      const take = (chunk: Buffer) => {
        output += chunk.toString();
        if (readyWhen?.test(output)) resolve();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.once('exit', () => {
        if (readyWhen) reject(new Error(`${args.join(' ')} ended:\n${output}`));
        else resolve();
      });
    });
    return { child, ready, output: () => output };
  }

  private async logIn(): Promise<void> {
    const { email, password } = JSON.parse(this.read('.gatehouse/administrator.json')) as {
      email: string;
      password: string;
    };
    const answer = await this.call('POST', '/v1/auth/login', { email, password });
    if (answer.status !== 200) throw new Error(`login answered ${answer.status}`);
    this.token = String(answer.body.access_token);
  }
}

/** Waits until it holds; what it throws in between is not the news, unless it never holds. */
export async function until<T>(what: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await what();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(100);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

/** Projects that have packages of their own beside the workspace's. */
function packagesWithModules(): string[] {
  return ['apps', 'libs', 'libs/contracts'].flatMap((parent) =>
    readdirSync(join(WORKSPACE, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${parent}/${entry.name}`)
      .filter((folder) => readdirSync(join(WORKSPACE, folder)).includes('node_modules')),
  );
}

function hardLink(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
  } catch {
    // Another disk, or a system whose cp has no such option.
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** Sends it to the whole group and waits for its end; what does not end is killed. */
async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const { pid } = child;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-pid, signal);
  const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), 30_000);
  await exited;
  clearTimeout(timer);
}
