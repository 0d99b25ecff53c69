// `npm run bench` runs every benchmark, `npm run bench -- gateway` one of them.
import { readdirSync } from 'node:fs';
import process from 'node:process';

const here = new URL('.', import.meta.url);
const known = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['chaos', 'lib', 'results'].includes(entry.name))
  .map((entry) => entry.name);
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${known.join(', ')}`);
  process.exit(64);
}
for (const name of wanted.length > 0 ? wanted : known) {
  const { run } = await import(new URL(`${name}/run.js`, here).href);
  await run();
}
