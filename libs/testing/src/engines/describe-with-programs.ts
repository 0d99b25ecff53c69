import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { describeWhere } from './describe-where.ts';

/** `describe` for tests that run programs of this machine, found by `PATH`, as `describeWhere` has it. */
export function describeWithPrograms(programs: readonly string[], block: () => void): void {
  const absent = programs.filter((program) => !isInstalled(program)).join(', ');
  const missing = absent === '' ? undefined : `PATH has no ${absent}`;
  describeWhere(`with ${programs.join(', ')}`, missing, block);
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
