interface JestGlobals {
  describe: ((name: string, fn: () => void) => void) & {
    skip: (name: string, fn: () => void) => void;
  };
  it: (name: string, fn: () => void) => void;
}

/**
 * `describe` for tests that need what not every machine has. Where it is missing the block is skipped under a name that
 * says so; with GATEHOUSE_REQUIRE_ENGINES=1 it fails instead, so that CI cannot skip in silence.
 * @param missing what is not there, as the end of a sentence; `undefined` where all is
 */
export function describeWhere(name: string, missing: string | undefined, block: () => void): void {
  const { describe, it } = globalThis as unknown as JestGlobals;
  if (missing === undefined) {
    describe(name, block);
  } else if (process.env.GATEHOUSE_REQUIRE_ENGINES === '1') {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(`GATEHOUSE_REQUIRE_ENGINES=1, and ${missing}`);
      });
    });
  } else {
    describe.skip(`${name} (skipped: ${missing})`, block);
  }
}
