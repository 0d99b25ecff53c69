import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import {
  type ChildProcessHandle,
  freePort,
  PackageRegistry,
  type PageBlock,
  runBlocks,
  startProcess,
} from '@gatehouse/testing';

import { nextRelease, PUBLISHED } from './packages.ts';
import { type ReceivedSpan, SpanReceiver } from './span-receiver.ts';

const MANY = 64 * 1024 * 1024;

/** A stranger's machine may be ten times slower than a quiet one. */
const PATIENCE_MS = 300_000;

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { items?: Record<string, unknown>[] };
}

/**
 * An empty folder on the machine of a team, which has npm and the platform's packages as a registry, and nothing of this
 * repository: what `docs/getting-started.md` and `docs/add-a-service.md` make there, and the platform that runs there.
 */
export class Workshop {
  /** What runs in terminals of its own, by its command. */
  private readonly terminals = new Map<string, ChildProcessHandle>();
  private token = '';

  private constructor(
    private readonly folder: string,
    private readonly registry: PackageRegistry,
    private readonly receiver: SpanReceiver,
    private readonly env: Record<string, string | undefined>,
  ) {}

  static async open(): Promise<Workshop> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-workshop-'));
    // Run as root, PostgreSQL is another user's, who must be able to pass through.
    chmodSync(folder, 0o755);
    const registry = await PackageRegistry.of('@gatehouse', PUBLISHED);
    const receiver = await SpanReceiver.start();
    const [gateway, admin] = [await freePort(), await freePort()];
    return new Workshop(folder, registry, receiver, {
      ...absent(),
      ...withoutThisWorkspace(registry.env),
      ...receiver.env,
      GATEWAY: `http://127.0.0.1:${gateway}`,
      GATEWAY_PORT: String(gateway),
      GATEWAY_ADMIN_PORT: String(admin),
      NO_COLOR: '1',
      npm_config_prefer_offline: 'true',
      npm_config_yes: 'true',
      // `nx migrate` would bring the newest Nx for its own use.
      NX_MIGRATE_USE_LOCAL: 'true',
      ...author('AUTHOR'),
      ...author('COMMITTER'),
    });
  }

  /** The workspace, once a page has made it. */
  get root(): string {
    return join(this.folder, 'shop');
  }

  /** What has been received of a trace so far. */
  spansOf(traceId: string): ReceivedSpan[] {
    return this.receiver.spans.filter((span) => span.traceId === traceId);
  }

  /**
   * Does what a page says, in one shell, from the empty folder; what goes on runs in the workspace, in terminals of its own.
   *
   * @returns what each block printed
   */
  follow(
    blocks: readonly PageBlock[],
    { inside = true, afterBlock }: { inside?: boolean; afterBlock?: (index: number) => void } = {},
  ): Promise<string[]> {
    return runBlocks(blocks, {
      cwd: inside ? this.root : this.folder,
      env: this.env,
      terminal: (block) => this.openTerminal(block),
      afterBlock: (index) => Promise.resolve(afterBlock?.(index)),
    });
  }

  /** What it has printed so far in its terminal. @throws where nothing with that in its command runs */
  output(command: string): string {
    const { stdout, stderr } = this.terminal(command)[1];
    return `${stdout}\n${stderr}`;
  }

  /** Ctrl-C in its terminal. */
  async interrupt(command: string): Promise<void> {
    const [code, process] = this.terminal(command);
    this.terminals.delete(code);
    await ended(process, 'SIGINT');
  }

  /** From here on there is a newer release of everything. */
  publishNext(): Promise<void> {
    return this.registry.publish(nextRelease(join(this.folder, 'next')));
  }

  /** @returns what it printed @throws with that, where it fails */
  run(file: string, ...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.root, env: this.env, maxBuffer: MANY };
      execFile(file, args, options, (error, stdout, stderr) => {
        if (error) reject(new Error(`${file} ${args.join(' ')}\n${stdout}\n${stderr}`));
        else resolve(stdout);
      });
    });
  }

  /** At the gateway, as the administrator. */
  async call(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
    if (this.token === '') this.token = await this.logIn();
    return this.send(method, path, body, { authorization: `Bearer ${this.token}`, ...headers });
  }

  /** @param admin the address of an admin listener; default the gateway's */
  async metrics(admin = `http://127.0.0.1:${this.env.GATEWAY_ADMIN_PORT ?? ''}`): Promise<string> {
    return (await fetch(`${admin}/metrics`)).text();
  }

  /** What git says has changed since the last commit, `?? apps/orders/` as `git status --short`. */
  status(): string[] {
    return execFileSync('git', ['status', '--short'], { cwd: this.root, encoding: 'utf8' })
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim())
      .sort();
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
    for (const process of [...this.terminals.values()].reverse()) await ended(process, 'SIGINT');
    await this.run('npx', 'gatehouse', 'reset', '--yes').catch(() => undefined);
    await Promise.all([this.registry.stop(), this.receiver.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async openTerminal({ code, until = '' }: PageBlock): Promise<void> {
    const process = await startProcess('bash', ['-c', code], {
      cwd: this.root,
      env: this.env,
      readyWhen: (child) => `${child.stdout}${child.stderr}`.includes(until),
      readyTimeoutMs: PATIENCE_MS,
    });
    this.terminals.set(code, process);
  }

  private terminal(command: string): [string, ChildProcessHandle] {
    const found = [...this.terminals].find(([code]) => code.includes(command));
    if (found === undefined) throw new Error(`nothing runs: ${command}`);
    return found;
  }

  private async logIn(): Promise<string> {
    const { email, password } = JSON.parse(this.read('.gatehouse/administrator.json')) as {
      email: string;
      password: string;
    };
    const answer = await this.send('POST', '/v1/auth/login', { email, password });
    if (answer.status !== 200) throw new Error(`login answered ${answer.status}`);
    return String(answer.body.access_token);
  }

  private async send(
    method: string,
    path: string,
    body: unknown,
    headers: object = {},
  ): Promise<Answer> {
    const answer = await fetch(`${this.env.GATEWAY ?? ''}${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
    return {
      status: answer.status,
      headers: answer.headers,
      body: (json ? JSON.parse(text) : { text }) as Answer['body'],
    };
  }
}

/** What the Nx and the git hook that run this told it is not for those over there, nor are the commands of this workspace. */
function withoutThisWorkspace(env: Record<string, string>): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !/^(NX_|GIT_|GATEHOUSE_)/.test(name));
  const path = (env.PATH ?? '').split(delimiter).filter((part) => !part.endsWith('.bin'));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/** For who inherits: nothing of it. */
const absent = () => Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));

const author = (role: string) => ({
  [`GIT_${role}_NAME`]: 'test',
  [`GIT_${role}_EMAIL`]: 'test@example.com',
});

/** Sends it to the whole group, as a terminal does, and waits for its end; what does not end is killed. */
async function ended(child: ChildProcessHandle, signal: NodeJS.Signals): Promise<void> {
  if (!child.running) return;
  process.kill(-child.pid, signal);
  const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 60_000);
  await child.exited;
  clearTimeout(timer);
}
