import { updateJson } from '@nx/devkit';

import { ownVersions, versions } from './versions.js';

/**
 * Adds what is missing to the dependencies of a project.
 *
 * @param {import('@nx/devkit').Tree} tree
 * @param {string} root
 * @param {readonly string[]} names of packages
 * @returns {boolean} whether npm has something to link
 */
export function addDependencies(tree, root, names) {
  const own = ownVersions(tree);
  let added = false;
  updateJson(tree, `${root}/package.json`, (json) => {
    const { dependencies = {}, devDependencies = {} } = json;
    for (const name of names) {
      if (name in dependencies) continue;
      added = true;
      dependencies[name] = own[name] ?? versions.of(name);
      // What the code itself needs now is no longer the tests' alone.
      delete devDependencies[name];
    }
    const sorted = Object.entries(dependencies).sort(([a], [b]) => a.localeCompare(b));
    return { ...json, dependencies: Object.fromEntries(sorted) };
  });
  return added;
}
