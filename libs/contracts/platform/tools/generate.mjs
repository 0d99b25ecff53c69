// Writes what a contract project generates: `src/generated` from its .proto files, `schemas/` from its events.ts.
//   nx run contracts-auth:generate
// (node --conditions=@gatehouse/source generate.mjs libs/contracts/auth)
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';

const project = resolve(process.argv[2] ?? '.');
const service = basename(project);

await rm(join(project, 'src/generated'), { recursive: true, force: true });
execFileSync('buf', ['generate'], { cwd: project, stdio: 'inherit' });

const events = (await import(pathToFileURL(join(project, 'src/events.ts')).href))[
  `${service}Events`
];
const folder = join(project, 'schemas');
await rm(folder, { recursive: true, force: true });
if (events.types.length > 0) await mkdir(folder);
for (const type of events.types) {
  const schema = JSON.stringify(events.jsonSchemaOf(type));
  await writeFile(
    join(folder, `${type}.schema.json`),
    await format(schema, { parser: 'json', printWidth: 100 }),
  );
}
