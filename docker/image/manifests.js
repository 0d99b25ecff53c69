/*
 * usage: manifests.js <service> <folder>, in the workspace.
 * Writes a workspace of the service and what it needs when it runs, package.json files and lock alone: what `npm ci`
 * installs there is what the image needs, at the versions of the lock. (`npm ci --workspace` would bring what libraries
 * are tested with too, where that is a workspace itself: it hangs on the root.)
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { neededBy, readJson } from './packages.js';

const [service = '', out = ''] = process.argv.slice(2);
const needed = neededBy(service);

/** @param {string} dir @param {object} json */
function write(dir, json) {
  mkdirSync(join(out, dir), { recursive: true });
  writeFileSync(join(out, dir, 'package.json'), `${JSON.stringify(json, null, 2)}\n`);
}

const workspaces = needed.map(({ dir }) => dir);
write('.', { ...readJson('package.json'), workspaces, devDependencies: {}, scripts: {} });
for (const { dir, json } of needed) write(dir, { ...json, devDependencies: {} });
for (const file of ['package-lock.json', '.npmrc']) {
  if (existsSync(file)) cpSync(file, join(out, file));
}
