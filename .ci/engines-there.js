// Says whether tests can start real engines and find the programs they ask for: part of what a cached test result rests on.
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const bin = resolve(
  import.meta.dirname,
  '..',
  process.env.ENGINES_BIN ?? '../shared/infra/engines',
);
const runs = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const folders = (process.env.PATH ?? '').split(delimiter);
for (const program of ['prometheus', 'promtool'])
  console.log(program, folders.some((folder) => runs(join(folder, program))) ? 'there' : 'absent');
console.log('engines', runs(bin) ? 'there' : 'absent');
