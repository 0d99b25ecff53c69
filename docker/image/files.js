/*
 * usage: files.js <service> <folder>, in the built workspace.
 * Adds to the installed workspace what the service runs: its own compiled code and that of the libraries it needs, with
 * the files they read. For an app that is no service, the `gatehouse` command, the descriptions of all services too.
 */
import { cpSync, existsSync, globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { neededBy } from './packages.js';

const [service = '', out = ''] = process.argv.slice(2);
const [app, ...libraries] = neededBy(service);

/** @param {string} path */
const copy = (path) =>
  cpSync(path, join(out, path), {
    recursive: true,
    // What a library offers to tests of others; and maps, which say where lines of sources were that are not here.
    filter: (file) => basename(file) !== 'testing' && !file.endsWith('.map'),
  });

for (const { dir } of [app, ...libraries]) {
  if (!existsSync(join(dir, 'dist'))) throw new Error(`${dir} is not built`);
  for (const part of ['dist', 'proto']) {
    if (existsSync(join(dir, part))) copy(join(dir, part));
  }
}
if (app.json.gatehouse === undefined) {
  for (const file of globSync('apps/*/package.json')) {
    if (dirname(file) !== app.dir) copy(file);
  }
}
