import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Tree, updateJson } from '@nx/devkit';

import client from '../generators/client/client.js';
import rpc from '../generators/rpc/rpc.js';
import service from '../generators/service/service.js';
import subscriber from '../generators/subscriber/subscriber.js';
import {
  codeOf,
  filesUnder,
  readText,
  WORKSPACE,
  workspaceTree,
} from '../testing/workspace-tree.ts';

const PACKAGE = 'node_modules/@gatehouse/identity';
const CONTRACT = 'node_modules/@gatehouse/contracts-identity';
/** As SWC writes decorators. */
const COMPILED = `
_ts_decorate([
    GrpcMethod('IdentityService', 'CreateUser'),
    AllowedClients('auth', 'provisioner')
], UsersRpc.prototype, "createUser", null);
_ts_decorate([
    GrpcMethod('IdentityService', 'GetUser'),
    AllowedClients(ANY_SERVICE)
], UsersRpc.prototype, "getUser", null);
`;
const of = (path: string) => readFileSync(join(WORKSPACE, path), 'utf8');

/** Identity and its contract as npm installs them: no sources, what was built of them. */
function asPackages(tree: Tree): void {
  for (const file of filesUnder(tree, 'libs/contracts/identity')) {
    const inside = file.slice('libs/contracts/identity'.length);
    if (/^\/(proto|schemas)\//.test(inside)) tree.write(`${CONTRACT}${inside}`, of(file));
  }
  const built = of('libs/contracts/identity/src/contract.ts').replaceAll('<IdentityService>', '');
  tree.write(`${CONTRACT}/dist/contract.js`, built);
  tree.write(`${PACKAGE}/package.json`, of('apps/identity/package.json'));
  tree.write(`${PACKAGE}/dist/users/users.rpc.js`, COMPILED);
  tree.delete('apps/identity');
  tree.delete('libs/contracts/identity');
  updateJson(tree, 'package.json', (json: object) => ({
    ...json,
    dependencies: { '@gatehouse/identity': '0.1.0', 'not-installed': '1.0.0' },
  }));
}

describe('a workspace that has the platform’s services as packages', () => {
  let tree: Tree;
  beforeEach(async () => {
    tree = workspaceTree();
    asPackages(tree);
    await service(tree, { name: 'orders' });
  });

  it('listens to their events', async () => {
    const event = 'identity.user.deleted.v1';
    await subscriber(tree, { name: 'forget customers', service: 'orders', event });
    const written = readText(tree, 'apps/orders/src/subscribers/forget-customers.subscriber.ts');
    expect(written).toContain("import '@gatehouse/contracts-identity';");
    await expect(
      subscriber(tree, { name: 'x', service: 'orders', event: 'identity.user.born.v1' }),
    ).rejects.toThrow('there are identity.user.created.v1');
  });

  it('calls what they let any service call, and nothing else', async () => {
    await expect(
      client(tree, { name: 'identity', in: 'orders', method: 'createUser' }),
    ).rejects.toThrow('identity lets only auth, provisioner call CreateUser');
    await client(tree, { name: 'identity', in: 'orders' });
    const written = readText(tree, 'apps/orders/src/clients/identity.client.ts');
    expect(codeOf(written)).toContain('getUser');
  });

  it('lets them call, and takes no path from them', async () => {
    await rpc(tree, { name: 'lookup order', service: 'orders', allow: 'identity' });
    expect(readText(tree, 'apps/orders/src/orders/orders.rpc.ts')).toContain(
      "@AllowedClients('identity')",
    );
    await expect(service(tree, { name: 'accounts', resource: 'user' })).rejects.toThrow(
      '/v1/users is taken: identity serves /v1/users',
    );
  });
});
