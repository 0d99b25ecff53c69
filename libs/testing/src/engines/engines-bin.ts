import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Outside programs that some tests need and a laptop may lack. */
export type Engine = 'kafka' | 'consul' | 'redis' | 'postgres' | 'otelcol' | 'opensearch';

const workspace = fileURLToPath(new URL('../../../../', import.meta.url));

/** The program that runs real engines: ENGINES_BIN, else `../shared/infra/engines` beside the checkout; undefined where there is none. */
export function enginesBin(): string | undefined {
  const file = resolve(workspace, process.env.ENGINES_BIN ?? '../shared/infra/engines');
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}
