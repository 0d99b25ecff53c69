import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { read } from './workspace.ts';

const run = promisify(execFile);

/** One command of a page, and what the page says that it prints. */
export interface Step {
  commands: string;
  shown: readonly string[];
}

const [, section = ''] =
  /\n## From one answer to its cause\n([\s\S]*?)\n## /.exec(read('docs/operations.md')) ?? [];

/** What every step begins with: the functions of the page. */
const [, functions = ''] = /^```bash\n([\s\S]*?)^```$/m.exec(section) ?? [];

/** The statement of the page that names who holds a lock. */
export const [, whoHoldsTheLock = ''] = /^```sql\n([\s\S]*?)^```$/m.exec(section) ?? [];

/** The steps below a heading of the section, in order. */
export function stepsOf(heading: string): Step[] {
  const [, part = ''] = section.split(`\n### ${heading}\n`);
  const [own = ''] = part.split('\n### ');
  return [...own.matchAll(/^```bash\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm)].map(
    ([, commands = '', shown = '']) => ({
      commands,
      shown: shown.split('\n').filter((line) => line !== '' && line !== '…'),
    }),
  );
}

/** @returns what it prints, a line each. @throws with what it wrote, where a command fails */
export async function take(step: Step, env: Record<string, string>): Promise<string[]> {
  const script = `${functions}\n${step.commands}`;
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', script], {
    env: { PATH: process.env.PATH, ...env },
  });
  return stdout.split('\n').filter((line) => line !== '');
}

/** Lines that the page shows and the command did not print, whatever the ids, numbers and times in them. */
export function notPrinted({ shown }: Step, printed: readonly string[]): string[] {
  const there = new Set(printed.map(withoutNumbers));
  return shown.filter((line) => !there.has(withoutNumbers(line)));
}

function withoutNumbers(line: string): string {
  return line
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/[0-9a-f]{32}-[0-9a-f]{16}/g, '<trace>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\d+(\.\d+)?(e-\d+)? (ms|s|times)\b/g, '<n> $3');
}
