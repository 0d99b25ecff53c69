import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @typedef {{ dir: string, json: Record<string, any> }} Package `dir` is relative to the workspace */

/**
 * @param {string} file
 * @returns {Record<string, any>}
 */
export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/**
 * The packages of the workspace in the current folder, by name.
 *
 * @returns {Map<string, Package>}
 */
function packages() {
  const files = readJson('package.json').workspaces.flatMap((/** @type {string} */ pattern) =>
    globSync(join(pattern, 'package.json')),
  );
  return new Map(
    files.map((/** @type {string} */ file) => {
      const json = readJson(file);
      return [json.name, { dir: dirname(file), json }];
    }),
  );
}

/**
 * The app `apps/<name>` and, of the workspace, what it needs when it runs, however indirectly.
 *
 * @param {string} name
 * @returns {Package[]} the app first
 * @throws where there is no such app
 */
export function neededBy(name) {
  const all = packages();
  const app = [...all.values()].find(({ dir }) => dir === join('apps', name));
  if (!app)
    throw new Error(`there is no apps/${name}: say --build-arg SERVICE=<a folder of apps/>`);
  const needed = new Set([app]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const { json } of needed) {
    for (const dependency of Object.keys(json.dependencies ?? {})) {
      const found = all.get(dependency);
      if (found) needed.add(found);
    }
  }
  return [...needed];
}
