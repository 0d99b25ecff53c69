import { logger, readJson } from '@nx/devkit';

import { linked } from '../../workspace/after-contract.js';
import { serviceCalled } from '../../workspace/services.js';
import { format } from '../../workspace/write.js';
import { PLATFORM_NAMES } from '../../names/reserved.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../../workspace/services.js').Service} Service */

/**
 * @param {Tree} tree
 * @param {{ name: string }} options
 */
export default async function removeService(tree, options) {
  const service = serviceCalled(tree, options.name);
  const { names, root, contractRoot } = service;
  if (PLATFORM_NAMES.has(names.kebab)) {
    throw new Error(`${names.kebab} is part of the platform: it is not to be removed`);
  }
  const users = usersOf(tree, service);
  if (users.length > 0) {
    throw new Error(`${names.kebab} is used by ${users.join(', ')}: take that out first`);
  }
  tree.delete(root);
  tree.delete(contractRoot);
  await format(tree);
  const after = linked(tree);
  return () => {
    after();
    logger.info(whatIsLeft(service));
  };
}

/** Projects that depend on it. @param {Tree} tree @param {Service} service */
function usersOf(tree, { names, contractPackage, root, contractRoot }) {
  const folders = ['apps', 'libs', 'libs/contracts'].flatMap((parent) =>
    tree.children(parent).map((folder) => `${parent}/${folder}`),
  );
  return folders.filter((folder) => {
    const file = `${folder}/package.json`;
    if (folder === root || folder === contractRoot || !tree.exists(file)) return false;
    const { dependencies, devDependencies } = readJson(tree, file);
    const all = { ...dependencies, ...devDependencies };
    return contractPackage in all || `@gatehouse/${names.kebab}` in all;
  });
}

/**
 * What the generator does not touch, and how to drop it.
 *
 * @param {Pick<Service, 'names' | 'namespace' | 'database'>} service
 */
export function whatIsLeft({ names: { kebab }, namespace, database }) {
  const roles = database ? ['app', 'migrator', 'owner'] : ['app'];
  return [
    `${kebab} is gone from the workspace. Its data is not, and the next \`npm start\` (or \`gatehouse provision\`) takes its`,
    'name out of the directory, so that nobody answers to it any more. To drop what is left, once no instance runs, as the',
    "database's administrator:",
    '',
    ...(database ? [`  DROP SCHEMA IF EXISTS "${kebab}" CASCADE;`] : []),
    `  DELETE FROM platform.bus_log WHERE topic LIKE '${kebab}.%';`,
    ...roles.flatMap((role) => [
      `  DROP OWNED BY "${kebab}_${role}";`,
      `  DROP ROLE IF EXISTS "${kebab}_${role}";`,
    ]),
    '',
    `On Kafka: the topics ${kebab}.*. Its credentials: the folder credentials/${kebab} of the platform's data (.gatehouse).`,
    `Kept on purpose: its permissions ${namespace}.* in Authz, marked stale with the bindings of their roles, and what Audit`,
    'has recorded of it.',
  ].join('\n');
}
