import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface JestGlobals {
  describe: ((name: string, fn: () => void) => void) & {
    skip: (name: string, fn: () => void) => void;
  };
  it: (name: string, fn: () => void) => void;
}

/**
 * `describe` for tests that run programs of this machine, found by `PATH`. Where one is missing the block is skipped under a
 * name that says so; with GATEHOUSE_REQUIRE_ENGINES=1 it fails instead, as `describeWithEngines` does.
 */
export function describeWithPrograms(programs: readonly string[], block: () => void): void {
  const { describe, it } = globalThis as unknown as JestGlobals;
  const missing = programs.filter((program) => !isInstalled(program)).join(', ');
  const name = `with ${programs.join(', ')}`;
  if (missing === '') {
    describe(name, block);
  } else if (process.env.GATEHOUSE_REQUIRE_ENGINES === '1') {
    describe(name, () => {
      it('needs them installed', () => {
        throw new Error(`GATEHOUSE_REQUIRE_ENGINES=1, and PATH has no ${missing}`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: PATH has no ${missing})`, block);
  }
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
