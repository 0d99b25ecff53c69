import { resourceNames } from '../../names/checked-names.js';
import { singularOf } from '../../names/names.js';
import { afterContract } from '../../workspace/after-contract.js';
import { newService, refuseTakenPath } from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';
import { addResource } from '../resource/resource.js';
import { resourceValues } from '../resource/resource-values.js';
import { contractPackageJson, servicePackageJson } from './package-json.js';

/** @typedef {import('@nx/devkit').Tree} Tree */

/**
 * @typedef {object} ServiceOptions
 * @property {string} name
 * @property {string} [directory] `apps/<folder>`; default: by the name
 * @property {boolean} [grpc] default true
 * @property {boolean} [database] default true
 * @property {string} [resource] default: the singular of the name
 * @property {string} [fields] of the resource
 * @property {string} [description]
 * @property {string} [owner]
 */

/**
 * @param {Tree} tree
 * @param {ServiceOptions} options
 */
export default async function service(tree, options) {
  const { name, directory, grpc = true, database = true, owner = '' } = options;
  const place = newService(tree, name, directory);
  const { names, root, contractRoot, contractPackage } = place;
  const resource = options.resource ?? singularOf(names.words);
  const fields = options.fields ?? 'name:string note:text?';
  const { many } = resourceNames(resource);
  const description = sentenceOf(
    options.description ?? `${many.sentence} and what belongs to them`,
  );
  const prefixes = [...new Set([`/v1/${names.kebab}`, `/v1/${many.kebab}`])];
  for (const path of prefixes) refuseTakenPath(tree, path);

  const described = { ...place, names, grpc, database, prefixes, namespace: names.kebab };
  const values = {
    ...resourceValues(described, resourceNames(resource), fields),
    root,
    contractRoot,
    contractPackage,
    database,
    description,
    owner,
    title: `${names.sentence}: ${description}`,
    packageJson: servicePackageJson({
      names,
      contractPackage,
      grpc,
      database,
      prefixes,
      description,
      owner,
    }),
    contractPackageJson: contractPackageJson({ names, contractPackage, grpc }),
  };
  const files = (/** @type {string} */ folder) => new URL(`files/${folder}/`, import.meta.url);
  writeNew(tree, files('app'), root, values);
  writeNew(tree, files(database ? 'database' : 'no-database'), root, values);
  writeNew(tree, files('contract'), contractRoot, values);
  if (grpc && database) writeNew(tree, files('database-grpc'), root, values);
  if (grpc) writeNew(tree, files('grpc-contract'), contractRoot, values);
  addResource(tree, described, resource, fields);
  await format(tree);
  return afterContract(tree, contractRoot, { install: true });
}

/** @param {string} text with one full stop at its end */
function sentenceOf(text) {
  const line = text.trim().replaceAll(/\s+/g, ' ').replaceAll('*/', '');
  return line.endsWith('.') ? line : `${line}.`;
}
