import ts from 'typescript';

import { ModuleMap } from '../../edits/module-map.js';
import { constantOf } from '../../edits/find.js';
import { SourceEdit } from '../../edits/source-edit.js';
import { resourceNames } from '../../names/checked-names.js';
import { afterContract } from '../../workspace/after-contract.js';
import { refuseTakenErrors } from '../../workspace/errors.js';
import { addPrefixes, refuseTakenPath, serviceCalled } from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';
import { migrationOf } from './migration.js';
import { resourceValues } from './resource-values.js';
import { wireContract } from './wire-contract.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../../workspace/services.js').Service} Service */

/**
 * @param {Tree} tree
 * @param {{ name: string; service: string; fields: string }} options
 */
export default async function resource(tree, options) {
  const service = serviceCalled(tree, options.service);
  addResource(tree, service, options.name, options.fields);
  await format(tree);
  return afterContract(tree, service.contractRoot);
}

/**
 * A resource from its route to its table, wired into the service's module and contract. In a service without a database it
 * is kept nowhere: it is answered, published and recorded.
 *
 * @param {Tree} tree
 * @param {Service} service
 * @param {string} name
 * @param {string} fields
 */
export function addResource(tree, service, name, fields) {
  const names = resourceNames(name);
  const values = resourceValues(service, names, fields);
  const { one, many } = names;
  const folder = `${service.root}/src/${many.kebab}`;
  if (tree.exists(folder)) throw new Error(`${folder} is there already: nothing was written`);
  const path = `/v1/${many.kebab}`;
  refuseTakenPath(tree, path, service.names.kebab);
  if (service.database) {
    refuseTakenErrors(tree, [`${one.pascal}NotFound`, `${one.pascal}BatchTooLarge`]);
  }

  const all = {
    ...values,
    config: tree.exists(`${service.root}/src/${service.names.kebab}.config.ts`),
  };
  const files = (/** @type {string} */ kind) =>
    new URL(`files/${service.database ? 'database' : 'no-database'}${kind}/`, import.meta.url);
  writeNew(tree, files(''), service.root, all);
  if (service.grpc) {
    writeNew(tree, files('-grpc'), service.root, all);
    writeNew(tree, files('-contract'), service.contractRoot, all);
  }
  addPrefixes(tree, service.root, [path]);
  wireContract(tree, service, values);
  if (service.database) {
    addMigration(tree, service, values);
    wire(tree, service, values);
  } else {
    wireWithoutDatabase(tree, service, values);
  }
}

/** @param {Tree} tree @param {Service} service @param {ReturnType<typeof resourceValues>} values */
function addMigration(tree, { root, names }, values) {
  const edit = new SourceEdit(tree, `${root}/src/migrations/${names.kebab}.migrations.ts`);
  const list = constantOf(edit.file, (name) => name.endsWith('Migrations'))?.initializer;
  const array = list && ts.isArrayLiteralExpression(list) ? list : undefined;
  const migration = migrationOf(values, (array?.elements.length ?? 0) + 1);
  edit.element(array, migration, 'the list of migrations');
}

/** @param {Tree} tree @param {Service} service @param {ReturnType<typeof resourceValues>} values */
function wire(tree, service, { one, many }) {
  const at = `./${many.kebab}`;
  const map = new ModuleMap(tree, service)
    .addEntity(one.pascal, `${at}/${one.kebab}.entity.ts`)
    .add('controllers', `${many.pascal}Controller`, `${at}/${many.kebab}.controller.ts`)
    .add('providers', `${one.pascal}Store`, `${at}/${one.kebab}.store.ts`)
    .add('providers', `${many.pascal}Subscriber`, `${at}/${many.kebab}.subscriber.ts`);
  for (const verb of ['Create', 'Update', 'Delete']) {
    const file = `${verb.toLowerCase()}-${one.kebab}.ts`;
    map.add('providers', `${verb}${one.pascal}Handler`, `${at}/commands/${file}`);
  }
  map
    .add('providers', `Get${one.pascal}Handler`, `${at}/queries/get-${one.kebab}.ts`)
    .add('providers', `List${many.pascal}Handler`, `${at}/queries/list-${many.kebab}.ts`);
  if (!service.grpc) return;
  const batch = `${at}/queries/batch-get-${many.kebab}.ts`;
  map
    .add('providers', `BatchGet${many.pascal}Handler`, batch)
    .add('controllers', `${many.pascal}Rpc`, `${at}/${many.kebab}.rpc.ts`)
    .addGrpc(`${many.camel}V1`, service.contractPackage);
}

/** @param {Tree} tree @param {Service} service @param {ReturnType<typeof resourceValues>} values */
function wireWithoutDatabase(tree, service, { one, many }) {
  const at = `./${many.kebab}`;
  const map = new ModuleMap(tree, service)
    .add('controllers', `${many.pascal}Controller`, `${at}/${many.kebab}.controller.ts`)
    .add('providers', `Recent${many.pascal}`, `${at}/recent-${many.kebab}.ts`)
    .add('providers', `${many.pascal}Subscriber`, `${at}/${many.kebab}.subscriber.ts`)
    .add('providers', `Create${one.pascal}Handler`, `${at}/commands/create-${one.kebab}.ts`)
    .add(
      'providers',
      `ListRecent${many.pascal}Handler`,
      `${at}/queries/list-recent-${many.kebab}.ts`,
    );
  if (!service.grpc) return;
  map
    .add('controllers', `${many.pascal}Rpc`, `${at}/${many.kebab}.rpc.ts`)
    .addGrpc(`${many.camel}V1`, service.contractPackage);
}
