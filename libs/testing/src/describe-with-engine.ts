/** Outside programs that some tests need and a laptop may lack. */
export type Engine = 'kafka' | 'consul' | 'redis' | 'otelcol' | 'opensearch';

interface JestGlobals {
  describe: ((name: string, fn: () => void) => void) & {
    skip: (name: string, fn: () => void) => void;
  };
  it: (name: string, fn: () => void) => void;
}

/**
 * `describe(engine)`, given the value of `variable`. Where that is not set the block is skipped
 * under a name that says so; with GATEHOUSE_REQUIRE_ENGINES=1 it fails instead, so that CI cannot
 * skip in silence.
 */
export function describeWithEngine(
  engine: Engine,
  variable: string,
  block: (address: string) => void,
): void {
  const { describe, it } = globalThis as unknown as JestGlobals;
  const address = process.env[variable];
  if (address) {
    describe(engine, () => block(address));
  } else if (process.env.GATEHOUSE_REQUIRE_ENGINES === '1') {
    describe(engine, () => {
      it(`needs ${variable}`, () => {
        throw new Error(`GATEHOUSE_REQUIRE_ENGINES=1, and ${variable} is not set`);
      });
    });
  } else {
    describe.skip(`${engine} (skipped: ${variable} is not set)`, () => block(''));
  }
}
