import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildProcessHandle } from '@gatehouse/testing';
import { jest } from '@jest/globals';
import { Launcher } from './launcher.driver.ts';

jest.setTimeout(180_000);

const WORKSPACE = join(import.meta.dirname, '..', '..', '..');
const README = readFileSync(join(WORKSPACE, 'README.md'), 'utf8');

/** A code block of the tour, with what its lines say that they print (`# prints 401`), in order. */
interface Block {
  code: string;
  promised: string[];
}

const blocks: Block[] = [...README.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(
  ([, code = '']) => ({
    code,
    promised: [...code.matchAll(/# prints (.+)$/gm)].map(([, text = '']) => text.trim()),
  }),
);

const END = '--- end of a block of the README ---';

/** Runs the blocks in one shell, as a reader would; a command that fails ends it. @returns what each block printed */
function run(env: Record<string, string>): Promise<string[]> {
  const script = blocks.map(({ code }) => `${code}\necho; echo '${END}'\n`).join('');
  return new Promise((resolve, reject) => {
    const options = { cwd: WORKSPACE, env: { ...process.env, NODE_OPTIONS: '', ...env } };
    execFile('bash', ['-e', '-o', 'pipefail', '-c', script], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${stdout}\n${stderr}`, { cause: error }));
      else resolve(stdout.split(END).slice(0, blocks.length));
    });
  });
}

describe('the tour of the README', () => {
  let launcher: Launcher;
  let running: ChildProcessHandle | undefined;
  let printed: string[];

  beforeAll(async () => {
    launcher = await Launcher.make();
    running = await launcher.start();
    printed = await run({ GATEWAY: launcher.url, GATEHOUSE_DATA_DIR: launcher.folder });
  });
  afterAll(async () => {
    await running?.kill('SIGINT');
    await launcher.remove();
  });

  it('shows each of 401, 403, 429 and 200 in turn', () => {
    const promised = blocks.flatMap((block) => block.promised);
    expect(promised).toEqual(expect.arrayContaining(['401', '403', '429', '200']));
  });

  it.each(
    blocks.map(({ code, promised }, index) => ({ index, promised, first: code.split('\n')[0] })),
  )('prints what block $index says: $first', ({ index, promised }) => {
    const lines = (printed[index] ?? '').split('\n').map((line) => line.trim());
    // In this order, with whatever else is printed in between.
    let from = 0;
    for (const line of promised) {
      const at = lines.findIndex((text, position) => position >= from && text.endsWith(line));
      expect({ line, printed: lines, found: at >= from }).toMatchObject({ found: true });
      from = at + 1;
    }
  });

  it('answers the reads it shows with what was asked for', () => {
    expect(printed[1]).toContain('"status":"accepted"');
    expect(printed[1]).toContain('"email":"ada@example.com"');
    expect(printed.join('\n')).toContain('"action":"authz.binding.create"');
  });

  it('names only commands that exist', () => {
    const scripts = (
      JSON.parse(readFileSync(join(WORKSPACE, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>;
      }
    ).scripts;
    const shown = [...README.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name = '']) => name);
    const own = shown.filter((name) => !['ci', 'and'].includes(name));
    expect(own).toEqual(expect.arrayContaining(['start', 'test', 'reset']));
    for (const name of own) expect(Object.keys(scripts)).toContain(name);
  });
});
