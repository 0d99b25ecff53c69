// Says whether tests can start real engines: part of what a cached test result rests on.
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

const bin = resolve(
  import.meta.dirname,
  '..',
  process.env.ENGINES_BIN ?? '../shared/infra/engines',
);
try {
  accessSync(bin, constants.X_OK);
  console.log('there');
} catch {
  console.log('absent');
}
