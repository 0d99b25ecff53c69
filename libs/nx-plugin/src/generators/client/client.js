import { ModuleMap } from '../../edits/module-map.js';
import { namesOf } from '../../names/names.js';
import { afterContract } from '../../workspace/after-contract.js';
import { addDependencies } from '../../workspace/dependencies.js';
import { rpcsOf } from '../../workspace/rpcs.js';
import { peerCalled, serviceCalled } from '../../workspace/services.js';
import { format, writeNew } from '../../workspace/write.js';

/** @typedef {import('../../workspace/rpcs.js').Rpc} Rpc */

/**
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ name: string; in: string; method?: string }} options
 */
export default async function client(tree, options) {
  const callee = peerCalled(tree, options.name);
  const service = serviceCalled(tree, options.in);
  const [from, to] = [service.names.kebab, callee.names.kebab];
  if (from === to) throw new Error(`${from} needs no client to call itself`);
  const rpc = chosen(rpcsOf(tree, callee), from, to, options.method);
  const values = {
    callee: callee.names,
    contractPackage: callee.contractPackage,
    rpc: { ...rpc, names: namesOf(rpc.name) },
    example: exampleOf(rpc),
  };
  writeNew(tree, new URL('files/', import.meta.url), service.root, values);
  new ModuleMap(tree, service)
    .addClient(rpc.contract, callee.contractPackage)
    .add('providers', `${callee.names.pascal}Client`, `./clients/${to}.client.ts`);
  const install = addDependencies(tree, service.root, [
    '@gatehouse/clients',
    callee.contractPackage,
  ]);
  await format(tree);
  return afterContract(tree, service.contractRoot, { install });
}

/**
 * The method that is asked for, else the first that the caller may call: a client offers what is needed and no more.
 *
 * @param {readonly Rpc[]} rpcs
 * @param {string} from
 * @param {string} to
 * @param {string | undefined} method
 */
function chosen(rpcs, from, to, method) {
  if (rpcs.length === 0) throw new Error(`${to} offers nothing over gRPC`);
  const simple = rpcs.filter(({ streams }) => !streams);
  const may = (/** @type {Rpc} */ { callers }) => callers === undefined || callers.includes(from);
  if (method === undefined || method === '') {
    const first = simple.find(may);
    if (first) return first;
    throw new Error(`${to} lets ${from} call nothing: its owners name it in @AllowedClients first`);
  }
  const wanted = namesOf(method).camel;
  const found = simple.find((rpc) => rpc.method === wanted);
  if (!found) {
    const known = simple.map((rpc) => rpc.method).join(', ');
    throw new Error(`${to} has no method "${wanted}"; there are ${known}`);
  }
  if (!may(found)) {
    const callers = (found.callers ?? []).join(', ');
    throw new Error(
      `${to} lets only ${callers} call ${found.name}: its owners add '${from}' to @AllowedClients first`,
    );
  }
  return found;
}

/**
 * A request for the test.
 *
 * @param {Rpc} rpc
 */
function exampleOf({ members }) {
  const value = (/** @type {Rpc['members'][number]} */ { name, type, repeated }) => {
    if (repeated) return '[]';
    if (type === 'string') return /id$/i.test(name) ? 'newId()' : `''`;
    if (type === 'bool') return 'false';
    return /^(?:u?int|s?fixed|sint)(?:32|64)$|^float$|^double$/.test(type) ? '0' : 'undefined';
  };
  return `{ ${members.map((member) => `${member.name}: ${value(member)}`).join(', ')} }`;
}
