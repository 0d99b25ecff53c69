import { examine } from '../doctor/examine.ts';
import { openContext } from './context.ts';

const MARK = { ok: '✓', warning: '!', problem: '✗' };

export interface DoctorOptions {
  scale?: boolean;
}

/** Prints what was looked at; exit code 1 where there is a problem. */
export async function doctor({ scale = false }: DoctorOptions): Promise<void> {
  const profile = scale ? 'scale' : 'embedded';
  const findings = await examine({ ...openContext(profile), profile });
  for (const { state, what, mend } of findings) {
    console.log(`  ${MARK[state]} ${what}`);
    if (mend && state !== 'ok') console.log(`      ${mend}`);
  }
  const problems = findings.filter(({ state }) => state === 'problem').length;
  console.log(problems === 0 ? '\nNo problem was found.' : `\n${problems} to mend.`);
  process.exitCode = problems === 0 ? 0 : 1;
}
