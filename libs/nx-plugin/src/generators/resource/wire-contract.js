import ts from 'typescript';

import { constantOf } from '../../edits/find.js';
import { SourceEdit } from '../../edits/source-edit.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('../../workspace/services.js').Service} Service */
/** @typedef {import('./resource-values.js').ResourceValues} ResourceValues */

/**
 * Adds a resource to what its service offers: errors, events and, with gRPC, the service of its .proto.
 *
 * @param {Tree} tree
 * @param {Pick<Service, 'names' | 'contractRoot' | 'grpc' | 'database'>} service
 * @param {ResourceValues} values
 */
export function wireContract(tree, { names, contractRoot, grpc, database }, values) {
  const src = `${contractRoot}/src`;
  const { one } = values;
  // Of what is kept nowhere none is missing, and none is asked for by its id.
  if (database) {
    const title = `There is no such ${one.words}`;
    addError(tree, contractRoot, `${one.pascal}NotFound`, 'not-found', title);
  }
  if (database && grpc) {
    const title = `Too many ${values.many.words} are asked for at once`;
    addError(tree, contractRoot, `${one.pascal}BatchTooLarge`, 'invalid-argument', title);
  }
  if (grpc) addGrpcContract(tree, src, names, values);
  if (database) addEvents(tree, src, names, values);
  else addEventsOfTheMoment(tree, src, names, values);
}

/**
 * @param {Tree} tree
 * @param {string} contractRoot
 * @param {string} name of the class
 * @param {string} kind
 * @param {string} title
 */
export function addError(tree, contractRoot, name, kind, title) {
  const edit = new SourceEdit(tree, `${contractRoot}/src/errors.ts`);
  const code = name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
  const registry = () => constantOf(edit.file, (constant) => constant.endsWith('Errors'));
  const first = registry();
  if (!first) throw new Error(`${contractRoot}/src/errors.ts: the registry is not to be found`);
  edit
    .before(
      first.statement,
      `export class ${name} extends PlatformError {
  static override readonly code = '${code}';
  static override readonly kind = '${kind}';
  static override readonly title = '${title}';
}`,
    )
    .import('@gatehouse/contracts-platform', ['PlatformError']);
  const call = registry()?.initializer;
  const list = call && ts.isCallExpression(call) ? call.arguments[0] : undefined;
  edit.element(
    list && ts.isArrayLiteralExpression(list) ? list : undefined,
    name,
    'the list of errors',
  );
}

/** @param {Tree} tree @param {string} src @param {Service['names']} service @param {ResourceValues} values */
function addEvents(tree, src, service, { one, fields }) {
  const edit = new SourceEdit(tree, `${src}/events.ts`);
  edit.import('zod', ['z']);
  const state = `${one.pascal}State`;
  const reference = `${one.pascal}Reference`;
  const found = schemasOf(edit);
  const members = fields.map(({ names, eventSchema }) => `  ${names.snake}: ${eventSchema},`);
  edit.before(
    found.statement,
    `const ${reference} = z.object({
  ${one.snake}_id: z.uuid(),
  organization_id: z.uuid().nullable(),
  version: z.int().min(1),
});
const ${state} = ${reference}.extend({
${members.join('\n')}
});`,
  );
  const type = (/** @type {string} */ fact) => `'${service.kebab}.${one.kebab}.${fact}.v1'`;
  for (const [fact, schema] of [
    ['created', state],
    ['updated', `${state}.extend({ changed: z.array(z.string()) })`],
    ['deleted', reference],
  ]) {
    edit.property(schemasOf(edit).object, `${type(fact ?? '')}: ${schema}`, 'the map of events');
  }
}

/**
 * What is kept nowhere has no version and does not change.
 *
 * @param {Tree} tree @param {string} src @param {Service['names']} service @param {ResourceValues} values
 */
function addEventsOfTheMoment(tree, src, service, { one, fields }) {
  const edit = new SourceEdit(tree, `${src}/events.ts`);
  edit.import('zod', ['z']);
  const reference = `${one.pascal}Reference`;
  const members = fields.map(({ names, eventSchema }) => `  ${names.snake}: ${eventSchema},`);
  edit.before(
    schemasOf(edit).statement,
    `const ${reference} = z.object({
  ${one.snake}_id: z.uuid(),
  organization_id: z.uuid().nullable(),
});
const ${one.pascal}State = ${reference}.extend({
${members.join('\n')}
  created_at: z.string(),
});`,
  );
  const type = `'${service.kebab}.${one.kebab}.created.v1'`;
  edit.property(schemasOf(edit).object, `${type}: ${one.pascal}State`, 'the map of events');
}

/**
 * `const schemas = { ... }` of an events.ts.
 *
 * @param {SourceEdit} edit
 */
export function schemasOf(edit) {
  const found = constantOf(edit.file, (name) => name === 'schemas');
  const value = found?.initializer;
  if (!found || !value || !ts.isObjectLiteralExpression(value)) {
    throw new Error('events.ts: `const schemas = { ... }` is not to be found');
  }
  return { statement: found.statement, object: value };
}

/** @param {Tree} tree @param {string} src @param {Service['names']} service @param {ResourceValues} values */
function addGrpcContract(tree, src, service, { many }) {
  const generated = `./generated/gatehouse/${service.snake}/v1/${many.snake}.ts`;
  const edit = new SourceEdit(tree, `${src}/contract.ts`);
  edit
    .import('@gatehouse/contracts-platform', ['defineGrpcContract', 'type GrpcHandlers'])
    .import('./errors.ts', [`${service.camel}Errors`])
    .import(generated, [`type ${many.pascal}Service`]).append(`
/** What \`${many.kebab}.rpc.ts\` implements. */
export type ${many.pascal}ServiceHandlers = GrpcHandlers<${many.pascal}Service>;

export const ${many.camel}V1 = defineGrpcContract<${many.pascal}Service>({
  package: 'gatehouse.${service.snake}.v1',
  service: '${service.kebab}',
  serviceName: '${many.pascal}Service',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/${service.snake}/v1/${many.snake}.proto',
  errors: ${service.camel}Errors,
});
`);
  new SourceEdit(tree, `${src}/index.ts`).append(`export * from '${generated}';\n`);
  const spec = new SourceEdit(tree, `${src}/contract.spec.ts`);
  spec.import('./contract.ts', [`${many.camel}V1`]);
  addToSpec(spec, `${many.camel}V1`);
}

/** @param {SourceEdit} spec @param {string} contract */
function addToSpec(spec, contract) {
  /** @type {ts.ArrayLiteralExpression | undefined} */
  let list;
  const visit = (/** @type {ts.Node} */ node) => {
    if (
      ts.isPropertyAssignment(node) &&
      node.name.getText() === 'contracts' &&
      ts.isArrayLiteralExpression(node.initializer)
    ) {
      list = node.initializer;
    }
    ts.forEachChild(node, visit);
  };
  visit(spec.file);
  spec.element(list, contract, 'the list of contracts');
}
