import { examine, type Section } from '../doctor/examine.ts';
import { openContext } from './context.ts';

const MARK = { ok: '✓', warning: '!', problem: '✗', unknown: '?' };

export interface DoctorOptions {
  scale?: boolean;
  json?: boolean;
}

/** Prints what was looked at; exit code 1 where there is a problem. What could not be looked at is none. */
export async function doctor({ scale = false, json = false }: DoctorOptions): Promise<void> {
  const profile = scale ? 'scale' : 'embedded';
  const sections = await examine({ ...openContext(profile), profile });
  const problems = sections
    .flatMap(({ findings }) => findings)
    .filter(({ state }) => state === 'problem').length;
  console.log(json ? JSON.stringify({ problems, sections }) : textOf(sections, problems));
  process.exitCode = problems === 0 ? 0 : 1;
}

function textOf(sections: readonly Section[], problems: number): string {
  const lines = sections.flatMap(({ title, findings }) => [
    title,
    ...findings.flatMap(({ state, what, mend }) => [
      `  ${MARK[state]} ${what.replaceAll('\n', '\n    ')}`,
      ...(mend && state !== 'ok' ? [`      ${mend}`] : []),
    ]),
    '',
  ]);
  return [...lines, problems === 0 ? 'No problem was found.' : `${problems} to mend.`].join('\n');
}
