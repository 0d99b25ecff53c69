import { spawn } from 'node:child_process';

/** A bash block of a page that is written for people to follow. */
export interface PageBlock {
  /** The heading that it stands under. */
  section: string;
  code: string;
  /** What its lines say that they print (`# prints 401`), in order. */
  promised: string[];
  /** Of a command that goes on, in a terminal of its own: what it prints once it is up (`# until it prints ready`). */
  until?: string;
}

/** The blocks of a Markdown page that begin with ```` ```bash ````, in order. Those of other languages (`sh`) are only read. */
export function blocksOf(markdown: string): PageBlock[] {
  let section = '';
  const parts = markdown.matchAll(/^#+ (.+)$|^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...parts].flatMap(([, heading, language, code = '']) => {
    section = heading ?? section;
    if (language !== 'bash') return [];
    const [, until] = /# until it prints (.+)$/m.exec(code) ?? [];
    return {
      section,
      code,
      promised: [...code.matchAll(/# prints (.+)$/gm)].map(([, text = '']) => text.trim()),
      ...(until !== undefined && { until: until.trim() }),
    };
  });
}

const END = '--- end of a block of the page ---';

export interface RunBlocksOptions {
  cwd: string;
  /** Added to this process's; `undefined` takes a variable away. */
  env: Record<string, string | undefined>;
  /** Other names for what a platform has once: who follows a page a second time needs another e-mail address and role. */
  rename?: Readonly<Record<string, string>>;
  /** Instead of a block that goes on (`until`), while the shell waits. @throws in a page with such a block by default */
  terminal?: (block: PageBlock) => Promise<void>;
  /** Between a block and the next, while the shell waits. */
  afterBlock?: (index: number) => Promise<void>;
}

/**
 * Runs the blocks in one shell, as a reader would; a command that fails ends it.
 *
 * @returns what each block printed
 * @throws Error with all that was printed, where a command fails
 */
export async function runBlocks(
  blocks: readonly PageBlock[],
  { cwd, env, rename = {}, terminal = noTerminal, afterBlock }: RunBlocksOptions,
): Promise<string[]> {
  // What a block runs must not read the lines by which the shell is told to go on.
  const code = (block: PageBlock) =>
    block.until === undefined ? `{\n${block.code}\n} < /dev/null` : '';
  const script = blocks.map((block) => `${code(block)}\necho; echo '${END}'; read -r _\n`).join('');
  const renamed = Object.entries(rename).reduce((text, [a, b]) => text.replaceAll(a, b), script);
  const shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', renamed], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  // Written to after it has failed, which its end says.
  shell.stdin.on('error', () => undefined);
  let stdout = '';
  let stderr = '';
  let seen = 0;
  const between = async (index: number) => {
    const block = blocks[index];
    if (block?.until !== undefined) await terminal(block);
    await afterBlock?.(index);
  };
  return new Promise((resolve, reject) => {
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (; seen < stdout.split(END).length - 1; seen++) {
        between(seen).then(
          () => shell.stdin.write('\n'),
          (cause: unknown) => {
            shell.kill();
            reject(new Error('what happens between two blocks failed', { cause }));
          },
        );
      }
    });
    shell.once('error', reject);
    shell.once('close', (status) => {
      if (status === 0) resolve(stdout.split(END).slice(0, blocks.length));
      else reject(new Error(`the blocks ended with ${status}: ${stdout}\n${stderr}`));
    });
  });
}

function noTerminal({ code }: PageBlock): Promise<void> {
  return Promise.reject(new Error(`nobody runs in a terminal of its own: ${code}`));
}

/** What a block was to print and did not, in this order, whatever else is printed in between; undefined where all is there. */
export function missingFrom(printed: string, { promised }: PageBlock): string | undefined {
  const lines = printed.split('\n').map((line) => line.trim());
  let from = 0;
  for (const line of promised) {
    const at = lines.findIndex((text, position) => position >= from && text.endsWith(line));
    if (at < from) return `${line} in:\n${printed}`;
    from = at + 1;
  }
  return undefined;
}
