import { partNames } from '../../names/checked-names.js';
import { linked } from '../../workspace/after-contract.js';
import { serviceCalled, servicesOf } from '../../workspace/services.js';
import { versions } from '../../workspace/versions.js';
import { format, writeNew } from '../../workspace/write.js';

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string; scope?: string; description?: string }} options
 */
export default async function library(tree, options) {
  const name = partNames('library', options.name);
  const { scope = 'shared', description = `What several services share: ${name.words}.` } = options;
  if (scope !== 'shared') serviceCalled(tree, scope);
  const root = `libs/${name.kebab}`;
  const taken = servicesOf(tree).some(({ names }) => names.kebab === name.kebab);
  if (taken || tree.exists(root)) throw new Error(`"${name.kebab}" is taken: choose another name`);
  writeNew(tree, new URL('files/', import.meta.url), root, {
    name,
    scope,
    description,
    version: versions.platform,
  });
  await format(tree);
  return linked(tree);
}
