import { type Engine, enginesBin } from './engines-bin.ts';

interface JestGlobals {
  describe: ((name: string, fn: () => void) => void) & {
    skip: (name: string, fn: () => void) => void;
  };
  it: (name: string, fn: () => void) => void;
}

/**
 * `describe` for tests that start these engines (`engineSet`). Where they cannot be started the block is skipped under a
 * name that says so; with GATEHOUSE_REQUIRE_ENGINES=1 it fails instead, so that CI cannot skip in silence.
 */
export function describeWithEngines(engines: readonly Engine[], block: () => void): void {
  const { describe, it } = globalThis as unknown as JestGlobals;
  const name = `with ${engines.join(', ')}`;
  if (enginesBin() !== undefined) {
    describe(name, block);
  } else if (process.env.GATEHOUSE_REQUIRE_ENGINES === '1') {
    describe(name, () => {
      it('needs the program that starts them', () => {
        throw new Error('GATEHOUSE_REQUIRE_ENGINES=1, and ENGINES_BIN names no program');
      });
    });
  } else {
    describe.skip(`${name} (skipped: ENGINES_BIN names no program that starts them)`, block);
  }
}
