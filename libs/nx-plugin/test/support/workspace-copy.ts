import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
const TASK_INPUTS = fileURLToPath(new URL('task-inputs.mjs', import.meta.url));
const MANY = 64 * 1024 * 1024;

/** What runs Nx here is not for an Nx over there. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(NX_|NODE_OPTIONS$|GIT_)/.test(name)),
);

/** This workspace as it is on disk, uncommitted edits included, as a repository of its own with one commit. */
export class WorkspaceCopy {
  readonly root = mkdtempSync(join(tmpdir(), 'gatehouse-affected-'));
  private readonly base: string;

  constructor(planted: readonly string[] = []) {
    const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
    const files = execFileSync('git', listed, { cwd: WORKSPACE, maxBuffer: MANY });
    for (const file of files.toString().split('\0').filter(Boolean)) {
      // A file that was deleted and not committed yet is still listed.
      cpSync(join(WORKSPACE, file), join(this.root, file), { force: true, errorOnExist: false });
    }
    for (const file of planted) {
      mkdirSync(dirname(join(this.root, file)), { recursive: true });
      appendFileSync(join(this.root, file), '// planted\n');
    }
    this.linkPackages();
    this.git('init', '--quiet', '--initial-branch=main');
    appendFileSync(join(this.root, '.git/info/exclude'), 'node_modules\n');
    this.base = this.commit('base');
  }

  /** Those of others are the workspace's; the workspace's own are the copy's. */
  private linkPackages(): void {
    const [from, to] = [join(WORKSPACE, 'node_modules'), join(this.root, 'node_modules')];
    mkdirSync(join(to, '@gatehouse'), { recursive: true });
    for (const name of readdirSync(from)) {
      if (name !== '@gatehouse') symlinkSync(join(from, name), join(to, name));
    }
    for (const name of readdirSync(join(from, '@gatehouse'))) {
      // Relative, and so into the copy.
      const target = readlinkSync(join(from, '@gatehouse', name));
      symlinkSync(target, join(to, '@gatehouse', name));
    }
  }

  /** A commit beside `main` that adds a line to this one file. @returns its hash */
  change(file: string): string {
    this.git('checkout', '--quiet', '--detach', this.base);
    const head = this.commitChange(file, file);
    this.git('checkout', '--quiet', 'main');
    return head;
  }

  /** A commit on what is checked out that adds a line to this one file. @returns its hash */
  commitChange(file: string, message: string): string {
    appendFileSync(join(this.root, file), '\n');
    return this.commit(message);
  }

  tag(name: string): void {
    this.git('tag', name);
  }

  /** What Nx prints. @throws where it fails */
  nx(...args: string[]): Promise<string> {
    return this.node('node_modules/nx/dist/bin/nx.js', ...args);
  }

  /** The projects whose tasks `nx affected` looks at for what `head` changed. */
  async affectedProjects(head: string): Promise<string[]> {
    const args = ['show', 'projects', '--affected', `--base=${this.base}`, `--head=${head}`];
    return JSON.parse(await this.nx(...args, '--json')) as string[];
  }

  /** The files that the hash of each task covers, by `project:target`. */
  async taskInputs(targets: readonly string[]): Promise<Record<string, string[]>> {
    return JSON.parse(await this.node(TASK_INPUTS, ...targets)) as Record<string, string[]>;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private commit(message: string): string {
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com'];
    this.git('add', '--all');
    this.git(...author, '-c', 'commit.gpgsign=false', 'commit', '--quiet', '-m', message);
    return this.git('rev-parse', 'HEAD');
  }

  private git(...args: string[]): string {
    const options = { cwd: this.root, encoding: 'utf8', env: environment } as const;
    return execFileSync('git', args, options).trim();
  }

  private async node(file: string, ...args: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [file, ...args], {
      cwd: this.root,
      env: { ...environment, NX_DAEMON: 'false', NX_CACHE_DIRECTORY: '.nx/cache', NO_COLOR: '1' },
      maxBuffer: MANY,
    });
    return stdout;
  }
}
