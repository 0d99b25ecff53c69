import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Dockerfile, expand, type Stage, type Step } from './dockerfile.ts';

const run = promisify(execFile);

/** What a container would be started from. */
export interface Image {
  /** Stands for `/`: what COPY brought, and nothing of a base image. */
  root: string;
  env: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  user: string;
  workdir: string;
  entrypoint: readonly string[];
  /** What HEALTHCHECK runs. */
  healthcheck: readonly string[];
}

export interface BuildOptions {
  /** A folder with the files that the build is given. */
  context: string;
  /** Where the stages' roots are made. */
  folder: string;
  /** `--build-arg`. */
  args: Readonly<Record<string, string>>;
  /** Run in the place of a command of the same text, in its folder. */
  instead?: Readonly<Record<string, (folder: string) => Promise<void>>>;
}

/**
 * Carries out a Dockerfile on this machine, without a container engine: every COPY and every RUN, in order, each stage in a
 * folder that stands for its `/`. What base images hold is not there: `node`, `npm` and a shell are this machine's, and paths
 * from the root in a RUN are those of the stage.
 * @throws with what a command wrote, where it fails
 */
export async function buildImage(dockerfile: Dockerfile, options: BuildOptions): Promise<Image> {
  const done = new Map<string, Built>();
  for (const stage of dockerfile.stages) {
    const built = new Built(join(options.folder, stage.name), options, done);
    const base = done.get(expand(stage.from, dockerfile.defaults));
    await built.begin(base);
    for (const step of stage.steps) await built.carryOut(step, stage);
    done.set(stage.name, built);
  }
  const last = done.get(dockerfile.stages.at(-1)?.name ?? '');
  if (!last) throw new Error('the Dockerfile has no stage');
  return last.image;
}

class Built {
  readonly image: Image & { env: Record<string, string>; labels: Record<string, string> };
  /** Of ARG, in this stage. */
  private args: Record<string, string> = {};

  constructor(
    root: string,
    private readonly options: BuildOptions,
    private readonly stages: ReadonlyMap<string, Built>,
  ) {
    this.image = {
      root,
      env: {},
      labels: {},
      user: '0',
      workdir: '/',
      entrypoint: [],
      healthcheck: [],
    };
  }

  async begin(base: Built | undefined): Promise<void> {
    await mkdir(this.image.root, { recursive: true });
    if (!base) return;
    await copyInto(`${base.image.root}/.`, this.image.root);
    Object.assign(this.image, { ...base.image, root: this.image.root, env: { ...base.image.env } });
  }

  async carryOut(step: Step, stage: Stage): Promise<void> {
    const { image } = this;
    const values = { ...this.args, ...image.env };
    const words = step.words.map((word) => expand(word, values));
    const pairs = step.pairs.map(([name, value]) => [name, expand(value, values)] as const);
    const handlers: Record<string, () => unknown> = {
      ARG: () => {
        for (const [name, value] of pairs) this.args[name] = this.options.args[name] ?? value;
      },
      ENV: () => Object.assign(image.env, Object.fromEntries(pairs)),
      LABEL: () => Object.assign(image.labels, Object.fromEntries(pairs)),
      WORKDIR: () => {
        image.workdir = words[0] ?? '/';
        return mkdir(this.at('.'), { recursive: true });
      },
      USER: () => (image.user = words[0] ?? ''),
      COPY: () => this.copy(words, step.flags),
      RUN: () => this.run(step.text),
      ENTRYPOINT: () => (image.entrypoint = step.words),
      HEALTHCHECK: () => (image.healthcheck = step.words),
      EXPOSE: () => undefined,
      STOPSIGNAL: () => undefined,
    };
    const handler = handlers[step.keyword];
    if (!handler) throw new Error(`line ${step.line}: ${step.keyword} is not carried out here`);
    try {
      await handler();
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw new Error(`${stage.name}, line ${step.line}: ${message}\n${stderr}`, { cause: error });
    }
  }

  /** Where a path of the stage lies on this machine. */
  private at(path: string): string {
    return path.startsWith('/')
      ? join(this.image.root, path)
      : join(this.image.root, this.image.workdir, path);
  }

  private async copy(words: readonly string[], flags: Step['flags']): Promise<void> {
    const sources = words.slice(0, -1);
    const target = words.at(-1) ?? '';
    const from = flags.from === undefined ? this.options.context : this.rootOf(flags.from);
    await mkdir(dirname(this.at(target)), { recursive: true });
    for (const source of sources) await copyInto(`${join(from, source)}/.`, this.at(target));
  }

  private rootOf(stage: string): string {
    const found = this.stages.get(stage);
    if (!found) throw new Error(`there is no stage ${stage} before`);
    return found.image.root;
  }

  private async run(text: string): Promise<void> {
    const cwd = this.at('.');
    const instead = this.options.instead?.[text];
    if (instead) return instead(cwd);
    const command = text.replaceAll(/(?<=\s)\/(?=\w)/g, `${this.image.root}/`);
    const { PATH = '', HOME = '' } = process.env;
    await run('sh', ['-ec', command], {
      cwd,
      env: { PATH, HOME, ...this.args, ...this.image.env },
      maxBuffer: 64 * 1024 ** 2,
    });
  }
}

/** The content of a folder into another; files are linked, since no stage changes one in place. */
async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  try {
    await run('cp', ['-al', from, to]);
  } catch {
    // Another file system, or a `cp` that knows no links.
    await cp(from, to, { recursive: true, verbatimSymlinks: true, force: true });
  }
}

/** What git knows of the workspace, or would, by the rules of the ignore file: a build's context. */
export async function contextOf(
  workspace: string,
  folder: string,
  ignored: (path: string) => boolean,
): Promise<void> {
  const { stdout } = await run('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: workspace,
    maxBuffer: 64 * 1024 ** 2,
  });
  for (const file of stdout.split('\0').filter((path) => path !== '' && !ignored(path))) {
    const target = join(folder, file);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(workspace, file), target, { force: true }).catch((error: unknown) => {
      // Deleted, and not committed yet.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
}
