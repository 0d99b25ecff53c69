/*
 * usage: generate-parts.mjs <workspace>
 * What `nx g` does for each of these, in one process and with one `npm install`: a second resource of the service orders,
 * one of each small generator, and a library.
 */
import { FsTree, flushChanges } from 'nx/src/generators/tree.js';

const root = process.argv[2] ?? process.cwd();
const service = 'orders';
const resource = 'order';
const PARTS = [
  [
    'resource',
    { name: 'Delivery Notes', service, fields: 'text:text sent:datetime? recipient:email' },
  ],
  ['command', { name: 'pay order', service, resource }],
  ['query', { name: 'find unpaid orders', service, resource }],
  ['event', { name: 'shipped', service, resource }],
  ['subscriber', { name: 'forget customers', service, event: 'identity.user.deleted.v1' }],
  ['rpc', { name: 'lookup order', service, resource, allow: 'identity' }],
  ['permission', { name: 'order.refund', service, description: 'Refund an order' }],
  ['client', { name: 'identity', in: service }],
  ['library', { name: 'Order Rules', scope: service }],
];

for (const [name, options] of PARTS) {
  const tree = new FsTree(root, false);
  const { default: generate } = await import(
    `${root}/libs/nx-plugin/src/generators/${name}/${name}.js`
  );
  const after = await generate(tree, options);
  flushChanges(root, tree.listChanges());
  await after?.();
}
