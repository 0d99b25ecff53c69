// Writes what a contract project generates: `src/generated` from its .proto files, where it has any, and `schemas/` from its
// events.ts.
//   nx run contracts-auth:generate
// (node --conditions=@gatehouse/source generate.mjs libs/contracts/auth)
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';

const project = resolve(process.argv[2] ?? '.');

await rm(join(project, 'src/generated'), { recursive: true, force: true });
if (existsSync(join(project, 'buf.yaml'))) {
  execFileSync('buf', ['generate'], { cwd: project, stdio: 'inherit' });
}

const exported = await import(pathToFileURL(join(project, 'src/events.ts')).href);
const [, events] = Object.entries(exported).find(([name]) => name.endsWith('Events')) ?? [];
if (events === undefined) throw new Error(`${project}/src/events.ts exports no ...Events`);
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
