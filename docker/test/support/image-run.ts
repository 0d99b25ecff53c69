import { execFile } from 'node:child_process';
import { chown, cp, link, mkdir, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type ChildProcessHandle, eventually, startProcess } from '@gatehouse/testing';
import type { Image } from './image-build.ts';

const run = promisify(execFile);
const NODE = '/usr/local/bin/node';

/**
 * Where this process may change its root folder (root may), a container's: the image's files alone, without a shell or any
 * other program than `node`, which is process 1 and the image's user, who owns nothing. Elsewhere: the same command with the
 * same environment, in the image's files.
 */
export class Container {
  private constructor(
    private readonly image: Image,
    /** Whether it is one that can see nothing but the image. */
    readonly isolated: boolean,
  ) {}

  static async of(image: Image): Promise<Container> {
    const isolated = process.getuid?.() === 0 && (await mayChangeRoot());
    if (isolated) await addNode(image.root);
    const [uid = 0] = image.user.split(':').map(Number);
    await mkdir(join(image.root, 'run/gatehouse'), { recursive: true });
    if (isolated) await chown(join(image.root, 'run/gatehouse'), uid, uid);
    return new Container(image, isolated);
  }

  /** Where a path of the container lies on this machine. */
  at(path: string): string {
    return join(this.image.root, path);
  }

  /** A path of the container, as a process in it has to be told it. */
  seen(path: string): string {
    return this.isolated ? path : this.at(path);
  }

  /** Starts what the image starts. */
  async start(
    env: Record<string, string>,
    args: readonly string[] = [],
  ): Promise<ChildProcessHandle> {
    return this.exec([...this.image.entrypoint, ...args], env);
  }

  /** Runs a command of the image to its end. @returns its exit code */
  async code(words: readonly string[], env: Record<string, string>): Promise<number | null> {
    return (await (await this.exec(words, env)).exited).code;
  }

  /** The process itself: in a container, the one that is number 1 there. */
  async pidOf(handle: ChildProcessHandle): Promise<number> {
    if (!this.isolated) return handle.pid;
    return eventually(async () => {
      const file = `/proc/${handle.pid}/task/${handle.pid}/children`;
      const [child] = (await readFile(file, 'utf8')).trim().split(' ').filter(Boolean);
      if (child === undefined) throw new Error('it has not started yet');
      return Number(child);
    });
  }

  private exec(words: readonly string[], env: Record<string, string>): Promise<ChildProcessHandle> {
    const all = { ...blank(), ...this.image.env, ...env };
    const [, ...args] = words;
    if (!this.isolated) {
      return startProcess(process.execPath, args, { env: all, cwd: this.at(this.image.workdir) });
    }
    const [uid = '', gid = ''] = this.image.user.split(':');
    const apart = ['--fork', '--pid', '--kill-child', '--root', this.image.root];
    const who = ['--wd', this.image.workdir, '--setgid', gid, '--setuid', uid];
    return startProcess('unshare', [...apart, ...who, NODE, ...args], { env: all });
  }
}

/** Nothing of this machine's environment reaches a container. `unshare` is found before it is emptied. */
function blank(): Record<string, string | undefined> {
  const names = Object.keys(process.env).filter((name) => name !== 'PATH');
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

async function mayChangeRoot(): Promise<boolean> {
  return run('unshare', ['--fork', '--pid', '--root', '/', 'true']).then(
    () => true,
    () => false,
  );
}

/** The one program of the base image that is used, with the libraries it is linked to. */
async function addNode(root: string): Promise<void> {
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => [file, file]);
  for (const [from, to] of [[process.execPath, NODE], ...libraries] as [string, string][]) {
    await mkdir(dirname(join(root, to)), { recursive: true });
    const target = join(root, to);
    await rm(target, { force: true });
    // Linked where that is possible: it is large.
    const real = await realpath(from);
    await link(real, target).catch(() => cp(real, target));
  }
}

/** Gives a folder to the user of a container, as the volume it stands for would be theirs. */
export async function giveTo(folder: string, user: string): Promise<void> {
  const [uid = 0, gid = 0] = user.split(':').map(Number);
  for (const entry of ['.', ...(await readdir(folder, { recursive: true }))]) {
    await chown(join(folder, entry), uid, gid);
  }
}
