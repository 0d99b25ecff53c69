import { readJson, updateJson } from '@nx/devkit';
import ts from 'typescript';

import { decoratorArgument, arrayOf, classOf, nodesOf } from '../edits/find.js';
import { SourceEdit } from '../edits/source-edit.js';
import { ownVersions, versions } from '../workspace/versions.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../workspace/services.js').Service} Service */

/**
 * Where a service departs from today's shape.
 *
 * @typedef {object} Departure
 * @property {string} file
 * @property {string} says what is different, for people
 * @property {() => void} [fix] makes it right without touching what a team has written; absent where only they can
 */

/** @typedef {(tree: Tree, service: Service) => Departure[]} Rule */

/** Targets that the plugin infers from a contract's files. */
const INFERRED = ['generate', 'buf-lint', 'buf-breaking'];

/** @type {Rule} */
export const tagsSayWhatItIs = (tree, { names, root, contractRoot }) => {
  const scope = `scope:${names.kebab}`;
  const wanted = {
    [root]: ['type:app', scope, ...(startsPlatform(tree, root) ? ['uses:platform'] : [])],
    [contractRoot]: ['type:contract', scope, 'layer:contracts-service'],
  };
  return Object.entries(wanted).flatMap(([folder, tags]) => {
    const file = `${folder}/project.json`;
    if (!tree.exists(file)) return [];
    const missing = tags.filter((tag) => !(readJson(tree, file).tags ?? []).includes(tag));
    if (missing.length === 0) return [];
    return [
      {
        file,
        says: `lacks the tags ${missing.join(', ')}`,
        fix: () =>
          updateJson(tree, file, (json) => ({ ...json, tags: [...(json.tags ?? []), ...missing] })),
      },
    ];
  });
};

/** @param {Tree} tree @param {string} root */
function startsPlatform(tree, root) {
  return tree
    .children(`${root}/test`)
    .filter((name) => name.endsWith('.e2e-spec.ts'))
    .some((name) => (tree.read(`${root}/test/${name}`, 'utf8') ?? '').includes('testing-platform'));
}

/** @type {Rule} */
export const contractTargetsAreInferred = (tree, { contractRoot }) => {
  const file = `${contractRoot}/project.json`;
  if (!tree.exists(file)) return [];
  const own = Object.keys(readJson(tree, file).targets ?? {});
  const left = INFERRED.filter((target) => own.includes(target));
  if (left.length === 0) return [];
  return [
    {
      file,
      says: `spells out ${left.join(', ')}, which the plugin infers`,
      fix: () =>
        updateJson(tree, file, ({ targets, ...json }) => {
          const kept = Object.entries(targets).filter(([name]) => !INFERRED.includes(name));
          return { ...json, ...(kept.length > 0 && { targets: Object.fromEntries(kept) }) };
        }),
    },
  ];
};

/**
 * `describeContract(..., { contract: a })` takes a list since a contract may have several gRPC services.
 *
 * @type {Rule}
 */
export const contractSuiteTakesAList = (tree, { contractRoot }) => {
  const file = `${contractRoot}/src/contract.spec.ts`;
  if (!tree.exists(file)) return [];
  const edit = new SourceEdit(tree, file);
  const property = nodesOf(edit.file, ts.isObjectLiteralElement).find(
    ({ name, parent }) =>
      name?.getText() === 'contract' &&
      ts.isCallExpression(parent.parent) &&
      parent.parent.expression.getText() === 'describeContract',
  );
  if (!property) return [];
  const value = ts.isPropertyAssignment(property) ? property.initializer.getText() : 'contract';
  return [
    {
      file,
      says: 'gives describeContract one `contract` where it takes `contracts`',
      fix: () => edit.replace(property, `contracts: [${value}]`),
    },
  ];
};

/** @type {Rule} */
export const platformIsOfOneVersion = (tree, { root, contractRoot }) => {
  const own = ownVersions(tree);
  return [root, contractRoot].flatMap((folder) => {
    const file = `${folder}/package.json`;
    if (!tree.exists(file)) return [];
    const json = readJson(tree, file);
    return ['dependencies', 'devDependencies'].flatMap((list) =>
      Object.entries(json[list] ?? {})
        .map(([name, version]) => ({ name, version, wanted: own[name] ?? versions.platform }))
        .filter(({ name, version, wanted }) => name.startsWith('@gatehouse/') && version !== wanted)
        .map(({ name, version, wanted }) => ({
          file,
          says: `has ${name} ${String(version)}, it is ${wanted}`,
          fix: () =>
            updateJson(tree, file, (now) => ({ ...now, [list]: { ...now[list], [name]: wanted } })),
        })),
    );
  });
};

/** What a service imports, and why it is there. */
const MODULES = ['KernelModule', 'DiscoveryModule', 'GuardsModule'];
const WITH_DATABASE = ['PersistenceModule', 'EventBusModule', 'EventOperationsModule'];

/** @type {Rule} */
export const moduleImportsThePlatform = (tree, { names, root, database }) => {
  const file = `${root}/src/${names.kebab}.module.ts`;
  if (!tree.exists(file)) return [{ file, says: 'is missing: the map of the service' }];
  const source = new SourceEdit(tree, file).file;
  const imports = arrayOf(
    decoratorArgument(classOf(source, `${names.pascal}Module`), 'Module'),
    'imports',
  );
  if (!imports) return [{ file, says: `has no @Module ${names.pascal}Module with imports` }];
  const found = imports.elements.map((element) => element.getText().split(/[.(]/)[0]);
  return [...MODULES, ...(database ? WITH_DATABASE : [])]
    .filter((module) => !found.includes(module))
    .map((module) => ({ file, says: `does not import ${module}` }));
};

/**
 * What goes through the service's own tables, or through memory where it has none.
 *
 * @type {Rule}
 */
export const busFitsTheDatabase = (tree, { names, root, database }) => {
  const file = `${root}/src/${names.kebab}.module.ts`;
  if (!tree.exists(file)) return [];
  const calls = nodesOf(new SourceEdit(tree, file).file, ts.isCallExpression);
  const called = (/** @type {string} */ name) =>
    calls.find(({ expression }) => expression.getText() === name);
  const guards = called('GuardsModule.forService');
  const buffered = guards?.arguments[0]?.getText().includes("'buffered'") ?? false;
  const wrong = `EventBusModule.${database ? 'withoutDatabase' : 'forService'}`;
  const says = [
    called(wrong) ? `calls ${wrong}, and has ${database ? 'a' : 'no'} database` : '',
    database && buffered ? "gives GuardsModule audit: 'buffered', and has an outbox" : '',
    !database && guards && !buffered
      ? "does not give GuardsModule audit: 'buffered', and has no outbox"
      : '',
  ];
  return says.filter((line) => line !== '').map((line) => ({ file, says: line }));
};

/** @type {Rule} */
export const mainRunsTheService = (tree, { root }) => {
  const file = `${root}/src/main.ts`;
  const runs =
    tree.exists(file) &&
    nodesOf(new SourceEdit(tree, file).file, ts.isCallExpression).some(
      ({ expression }) => expression.getText() === 'runService',
    );
  return runs ? [] : [{ file, says: 'does not call runService of the kernel' }];
};

/** @type {Rule} */
export const directoryEntryIsWhole = (tree, { root }) => {
  const file = `${root}/package.json`;
  const { gatehouse } = readJson(tree, file);
  return ['prefixes', 'namespace']
    .filter((member) => gatehouse[member] === undefined)
    .map((member) => ({ file, says: `has no gatehouse.${member}` }));
};

/** @type {Rule} */
export const kindsOfTestsAreThere = (tree, { root }) => {
  const tests = tree.children(`${root}/test`);
  return ['.int-spec.ts', '.e2e-spec.ts']
    .filter((kind) => !tests.some((name) => name.endsWith(kind)))
    .map((kind) => ({ file: `${root}/test`, says: `has no *${kind}` }));
};

/** @type {readonly Rule[]} */
export const RULES = [
  tagsSayWhatItIs,
  contractTargetsAreInferred,
  contractSuiteTakesAList,
  platformIsOfOneVersion,
  moduleImportsThePlatform,
  busFitsTheDatabase,
  mainRunsTheService,
  directoryEntryIsWhole,
  kindsOfTestsAreThere,
];
