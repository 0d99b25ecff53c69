import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const WORKSPACE = join(import.meta.dirname, '..', '..', '..', '..');
export const README = readFileSync(join(WORKSPACE, 'README.md'), 'utf8');

/** A code block of the tour, with what its lines say that they print (`# prints 401`), in order. */
export interface Block {
  code: string;
  promised: string[];
}

export const blocks: readonly Block[] = [...README.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(
  ([, code = '']) => ({
    code,
    promised: [...code.matchAll(/# prints (.+)$/gm)].map(([, text = '']) => text.trim()),
  }),
);

const END = '--- end of a block of the README ---';

export interface TourOptions {
  /** GATEWAY and GATEHOUSE_DATA_DIR, and what else its commands should find. */
  env: Record<string, string>;
  /** Other names for what a platform has once: a second tour needs another e-mail address and role. */
  rename?: Readonly<Record<string, string>>;
  /** Between a block and the next, while the shell waits. */
  afterBlock?: (index: number) => Promise<void>;
}

/** Runs the blocks in one shell, as a reader would; a command that fails ends it. @returns what each block printed */
export async function runTour({ env, rename = {}, afterBlock }: TourOptions): Promise<string[]> {
  const script = blocks.map(({ code }) => `${code}\necho; echo '${END}'; read -r _\n`).join('');
  const renamed = Object.entries(rename).reduce((text, [a, b]) => text.replaceAll(a, b), script);
  const shell = spawn('bash', ['-e', '-o', 'pipefail', '-c', renamed], {
    cwd: WORKSPACE,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  // Written to after it has failed, which its end says.
  shell.stdin.on('error', () => undefined);
  let stdout = '';
  let stderr = '';
  let seen = 0;
  return new Promise((resolve, reject) => {
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (; seen < stdout.split(END).length - 1; seen++) {
        (afterBlock?.(seen) ?? Promise.resolve()).then(
          () => shell.stdin.write('\n'),
          (cause: unknown) => {
            shell.kill();
            reject(new Error('what happens between two blocks failed', { cause }));
          },
        );
      }
    });
    shell.once('error', reject);
    shell.once('close', (code) => {
      if (code === 0) resolve(stdout.split(END).slice(0, blocks.length));
      else reject(new Error(`the tour ended with ${code}: ${stdout}\n${stderr}`));
    });
  });
}

/** What a block was to print and did not, in this order, whatever else is printed in between; undefined where all is there. */
export function missingFrom(printed: string, { promised }: Block): string | undefined {
  const lines = printed.split('\n').map((line) => line.trim());
  let from = 0;
  for (const line of promised) {
    const at = lines.findIndex((text, position) => position >= from && text.endsWith(line));
    if (at < from) return `${line} in:\n${printed}`;
    from = at + 1;
  }
  return undefined;
}
