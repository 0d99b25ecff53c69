import protobuf from 'protobufjs';
import ts from 'typescript';

import { nodesOf } from '../edits/find.js';

/** @typedef {import('@nx/devkit').Tree} Tree */
/** @typedef {import('./services.js').Service} Service */

/**
 * A method that a service offers over gRPC.
 *
 * @typedef {object} Rpc
 * @property {string} contract the constant that describes its service: `ordersV1`
 * @property {string} serviceName
 * @property {string} name `GetOrder`
 * @property {string} method `getOrder`
 * @property {boolean} streams
 * @property {{ name: string; type: string; repeated: boolean }[]} members of the request, in camel case
 * @property {readonly string[] | undefined} callers the services that may call it; undefined: all
 */

/**
 * @param {Tree} tree
 * @param {Service} service
 * @returns {Rpc[]} in the order of the .proto files
 */
export function rpcsOf(tree, service) {
  const allowed = callersOf(tree, service);
  return contractsOf(tree, service).flatMap(({ constant, proto, serviceName }) => {
    const text = tree.read(`${service.contractRoot}/proto/${proto}`, 'utf8') ?? '';
    const { root } = protobuf.parse(text);
    const found = servicesIn(root).find(({ name }) => name === serviceName);
    return (found?.methodsArray ?? []).map((method) => ({
      contract: constant,
      serviceName,
      name: method.name,
      method: method.name.slice(0, 1).toLowerCase() + method.name.slice(1),
      streams: Boolean(method.requestStream ?? method.responseStream),
      members: membersOf(root, method.requestType),
      callers: allowed.get(`${serviceName}/${method.name}`),
    }));
  });
}

/** @param {protobuf.NamespaceBase} namespace @returns {protobuf.Service[]} */
function servicesIn(namespace) {
  return namespace.nestedArray.flatMap((each) =>
    each instanceof protobuf.Service
      ? [each]
      : each instanceof protobuf.Namespace
        ? servicesIn(each)
        : [],
  );
}

/** @param {protobuf.NamespaceBase} root @param {string} message @returns {Rpc['members']} */
function membersOf(root, message) {
  for (const each of root.nestedArray) {
    if (each instanceof protobuf.Type && each.name === message) {
      return each.fieldsArray.map(({ name, type, repeated }) => ({ name, type, repeated }));
    }
    if (each.constructor === protobuf.Namespace) {
      const members = membersOf(/** @type {protobuf.NamespaceBase} */ (each), message);
      if (members.length > 0) return members;
    }
  }
  return [];
}

/**
 * The constants of a contract that describe its gRPC services.
 *
 * @param {Tree} tree
 * @param {Service} service
 */
function contractsOf(tree, { contractRoot }) {
  // A package has what was built of it.
  const path = [`${contractRoot}/src/contract.ts`, `${contractRoot}/dist/contract.js`].find(
    (each) => tree.exists(each),
  );
  if (path === undefined) return [];
  const file = sourceOf(tree, path);
  return nodesOf(file, ts.isVariableDeclaration).flatMap(({ name, initializer }) => {
    if (!initializer || !ts.isCallExpression(initializer)) return [];
    const [options] = initializer.arguments;
    if (!options || !ts.isObjectLiteralExpression(options)) return [];
    const proto = textOf(options, 'proto');
    const serviceName = textOf(options, 'serviceName');
    if (proto === undefined || serviceName === undefined) return [];
    return [{ constant: name.getText(), proto, serviceName }];
  });
}

/** @param {ts.ObjectLiteralExpression} object @param {string} member */
function textOf(object, member) {
  const property = object.properties.find((each) => each.name?.getText() === member);
  return property && ts.isPropertyAssignment(property) && ts.isStringLiteral(property.initializer)
    ? property.initializer.text
    : undefined;
}

/**
 * Who may call each method, as `@AllowedClients` says beside `@GrpcMethod`.
 *
 * @param {Tree} tree
 * @param {Service} service
 * @returns {Map<string, readonly string[] | undefined>} by `OrdersService/GetOrder`; undefined: any service
 */
function callersOf(tree, { root }) {
  /** @type {Map<string, readonly string[] | undefined>} */
  const found = new Map();
  for (const path of filesUnder(tree, root).filter((file) => /\.rpc\.[jt]s$/.test(file))) {
    for (const calls of decoratorsIn(sourceOf(tree, path))) {
      const argumentsOf = (/** @type {string} */ name) =>
        calls.find(({ expression }) => expression.getText() === name)?.arguments;
      const rpc = argumentsOf('GrpcMethod')?.filter(ts.isStringLiteral);
      const allowed = argumentsOf('AllowedClients');
      if (!rpc || !allowed) continue;
      const anybody = allowed.some((each) => !ts.isStringLiteral(each));
      const names = allowed.filter(ts.isStringLiteral).map(({ text }) => text);
      found.set(rpc.map(({ text }) => text).join('/'), anybody ? undefined : names);
    }
  }
  return found;
}

/**
 * Of its code: the sources of the workspace's own, what was built of a package.
 *
 * @param {Tree} tree
 * @param {string} root
 * @returns {string[]}
 */
function filesUnder(tree, root) {
  /** @param {string} folder @returns {string[]} */
  const under = (folder) =>
    tree
      .children(folder)
      .map((name) => `${folder}/${name}`)
      .flatMap((path) => (tree.isFile(path) ? [path] : under(path)));
  return under(`${root}/${tree.exists(`${root}/src`) ? 'src' : 'dist'}`);
}

/**
 * The decorators of each method; compiled, they are a list that is handed to a helper.
 *
 * @param {ts.SourceFile} file
 * @returns {ts.CallExpression[][]}
 */
function decoratorsIn(file) {
  const ofMethods = nodesOf(file, ts.isMethodDeclaration).map((method) =>
    (ts.getDecorators(method) ?? []).map(({ expression }) => expression),
  );
  const compiled = nodesOf(file, ts.isArrayLiteralExpression).map(({ elements }) => [...elements]);
  return [...ofMethods, ...compiled].map((list) => list.filter(ts.isCallExpression));
}

/** @param {Tree} tree @param {string} path */
const sourceOf = (tree, path) =>
  ts.createSourceFile(path, tree.read(path, 'utf8') ?? '', ts.ScriptTarget.Latest, true);
