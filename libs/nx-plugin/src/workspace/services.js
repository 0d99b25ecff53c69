import { joinPathFragments, readJson } from '@nx/devkit';

import { serviceNames } from '../names/checked-names.js';
import { namesOf } from '../names/names.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../names/names.js').Names} Names */

/**
 * A service of the workspace, as its package.json describes it.
 *
 * @typedef {object} Service
 * @property {Names} names
 * @property {string} root `apps/orders`
 * @property {string} contractRoot `libs/contracts/orders`
 * @property {string} contractPackage `@gatehouse/contracts-orders`
 * @property {string[]} prefixes
 * @property {string} namespace
 * @property {boolean} database
 * @property {boolean} grpc
 */

const CONTRACTS = 'libs/contracts';

/** @param {Tree} tree @returns {Service[]} */
export function servicesOf(tree) {
  return tree
    .children('apps')
    .flatMap((folder) => serviceIn(tree, `apps/${folder}`, (name) => `${CONTRACTS}/${name}`));
}

/**
 * The platform's own, where they come as packages: a workspace outside its repository depends on them. They can be called and
 * listened to, not edited.
 *
 * @param {Tree} tree
 * @returns {Service[]}
 */
export function packagedServicesOf(tree) {
  const { dependencies = {} } = tree.exists('package.json') ? readJson(tree, 'package.json') : {};
  return Object.keys(dependencies).flatMap((name) =>
    serviceIn(tree, packageFolder(name), (service) =>
      packageFolder(contractPackageOf(namesOf(service))),
    ),
  );
}

/** @param {string} name of a package */
const packageFolder = (name) => `node_modules/${name}`;

/**
 * @param {Tree} tree
 * @param {string} root
 * @param {(name: string) => string} contractRootOf
 * @returns {Service[]} one, or none where it is no service
 */
function serviceIn(tree, root, contractRootOf) {
  if (!tree.exists(`${root}/package.json`)) return [];
  const { gatehouse, dependencies = {} } = readJson(tree, `${root}/package.json`);
  if (typeof gatehouse?.name !== 'string') return [];
  const names = namesOf(gatehouse.name);
  return [
    {
      names,
      root,
      contractRoot: contractRootOf(names.kebab),
      contractPackage: contractPackageOf(names),
      prefixes: gatehouse.prefixes ?? [],
      namespace: gatehouse.namespace ?? gatehouse.name,
      database: '@gatehouse/persistence' in dependencies,
      grpc: '@nestjs/microservices' in dependencies,
    },
  ];
}

/** @param {Names} names */
export const contractPackageOf = (names) => `@gatehouse/contracts-${names.kebab}`;

/**
 * @param {Tree} tree
 * @param {string} given in any case
 * @returns {Service}
 * @throws Error that lists those there are
 */
export function serviceCalled(tree, given) {
  return among(servicesOf(tree), given, ' under apps/');
}

/**
 * One that can be called or listened to: of the workspace, or of the platform's packages.
 *
 * @param {Tree} tree
 * @param {string} given in any case
 * @returns {Service}
 * @throws Error that lists those there are
 */
export function peerCalled(tree, given) {
  return among([...servicesOf(tree), ...packagedServicesOf(tree)], given, '');
}

/** @param {readonly Service[]} services @param {string} given @param {string} where */
function among(services, given, where) {
  const { kebab } = namesOf(given);
  const found = services.find(({ names }) => names.kebab === kebab);
  if (found) return found;
  const known = services.map(({ names }) => names.kebab).join(', ');
  throw new Error(`there is no service "${kebab}"${where}; there are ${known}`);
}

/**
 * @param {Service} service
 * @param {string} why what is asked for needs one
 * @throws Error
 */
export function needsDatabase({ names, database }, why) {
  if (!database) throw new Error(`${names.kebab} has no database: ${why}`);
}

/**
 * @param {Tree} tree
 * @param {string} given
 * @param {string | undefined} directory
 * @returns {{ names: Names; root: string; contractRoot: string; contractPackage: string }}
 * @throws Error where the name is reserved or taken, or the folder is not one that services are found in
 */
export function newService(tree, given, directory) {
  const names = serviceNames(given);
  const root = joinPathFragments(directory ?? `apps/${names.kebab}`).replace(/\/$/, '');
  if (!/^apps\/[a-z][a-z0-9-]*$/.test(root)) {
    throw new Error(`--directory ${directory ?? ''}: services are found in apps/<folder> alone`);
  }
  const contractRoot = `${CONTRACTS}/${names.kebab}`;
  const services = servicesOf(tree);
  if (services.some((service) => service.names.kebab === names.kebab)) {
    throw new Error(`there is a service "${names.kebab}" already`);
  }
  for (const folder of [root, contractRoot, `libs/${names.kebab}`]) {
    if (tree.exists(folder))
      throw new Error(`"${names.kebab}" is taken: ${folder} is there already`);
  }
  return { names, root, contractRoot, contractPackage: contractPackageOf(names) };
}

/**
 * @param {Tree} tree
 * @param {string} path `/v1/orders`
 * @param {string} [of] the service that may have it
 * @throws Error where another service serves it, or what lies above or below
 */
export function refuseTakenPath(tree, path, of) {
  const covers = (/** @type {string} */ a, /** @type {string} */ b) =>
    a === b || b.startsWith(`${a}/`);
  for (const { names, prefixes } of [...servicesOf(tree), ...packagedServicesOf(tree)]) {
    const clash = prefixes.find((prefix) => covers(prefix, path) || covers(path, prefix));
    if (clash && names.kebab !== of) {
      throw new Error(`${path} is taken: ${names.kebab} serves ${clash}`);
    }
  }
}

/**
 * Adds to `gatehouse.prefixes` of a service.
 *
 * @param {Tree} tree
 * @param {string} root
 * @param {readonly string[]} paths
 */
export function addPrefixes(tree, root, paths) {
  const file = `${root}/package.json`;
  const json = readJson(tree, file);
  const known = json.gatehouse.prefixes ?? [];
  const missing = paths.filter(
    (path) =>
      !known.some(
        (/** @type {string} */ prefix) => path === prefix || path.startsWith(`${prefix}/`),
      ),
  );
  if (missing.length === 0) return;
  json.gatehouse.prefixes = [...known, ...missing];
  tree.write(file, `${JSON.stringify(json, null, 2)}\n`);
}
