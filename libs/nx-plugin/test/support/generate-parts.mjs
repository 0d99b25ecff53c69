/*
 * usage: generate-parts.mjs, in a workspace
 * What `nx g` does for each of these, in one process: one of each small generator for the service orders, and a library.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = process.cwd();
const { FsTree, flushChanges } = createRequire(join(root, 'package.json'))(
  'nx/src/generators/tree.js',
);
const service = 'orders';
const resource = 'order';
/** @type {[string, object][]} */
const PARTS = [
  ['query', { name: 'find unpaid orders', service, resource }],
  ['event', { name: 'shipped', service, resource }],
  ['subscriber', { name: 'forget customers', service, event: 'identity.user.deleted.v1' }],
  ['rpc', { name: 'lookup order', service, resource, allow: 'identity' }],
  ['permission', { name: 'order.refund', service, description: 'Refund an order' }],
  ['client', { name: 'identity', in: service }],
  ['library', { name: 'Order Rules', scope: service }],
];

const generators = join(root, 'node_modules/@gatehouse/nx-plugin/src/generators');
for (const [name, options] of PARTS) {
  const tree = new FsTree(root, false);
  const { default: generate } = await import(
    pathToFileURL(join(generators, name, `${name}.js`)).href
  );
  const after = await generate(tree, options);
  flushChanges(root, tree.listChanges());
  await after?.();
}
