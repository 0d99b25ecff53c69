import { readFileSync } from 'node:fs';

import { beforeEach, describe, expect, it } from '@jest/globals';
import { readJson, type Tree } from '@nx/devkit';

import {
  codeOf,
  contentsOf,
  filesUnder,
  readText,
  restore,
  WORKSPACE,
  workspaceTree,
} from '../testing/workspace-tree.ts';
import { versions } from '../workspace/versions.js';
import { departuresOf } from './check/check.js';
import client from './client/client.js';
import command from './command/command.js';
import event from './event/event.js';
import library from './library/library.js';
import permission from './permission/permission.js';
import query from './query/query.js';
import removeService, { whatIsLeft } from './remove-service/remove-service.js';
import resource from './resource/resource.js';
import rpc from './rpc/rpc.js';
import service from './service/service.js';
import subscriber from './subscriber/subscriber.js';
import { servicesOf } from '../workspace/services.js';

const APP = 'apps/orders';
const CONTRACT = 'libs/contracts/orders';
const FIELDS = 'title:string total:decimal due:date? status:enum(open,paid)';

let tree: Tree;
beforeEach(() => {
  tree = workspaceTree();
});

interface PackageJson {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  gatehouse: { name: string; prefixes: string[]; namespace: string };
}
const packageJson = (root: string) => readJson<PackageJson>(tree, `${root}/package.json`);
const tagsOf = (root: string) => readJson<{ tags: string[] }>(tree, `${root}/project.json`).tags;

/** Nx writes what a generator has made once it has ended, and nothing where it throws. */
async function expectRefusal(generate: () => Promise<unknown>, why: string | RegExp) {
  const before = contentsOf(tree);
  await expect(generate()).rejects.toThrow(why);
  restore(tree, before);
}

/** That a file has each of these, however its lines are broken. */
function expectCode(path: string, ...parts: string[]) {
  const code = codeOf(readText(tree, path));
  for (const part of parts) expect(code).toContain(codeOf(part));
}

describe('a generated service', () => {
  /** What a file is, whatever it is called: `src/users/users.controller.ts` is a `controller.ts`. */
  const kindOf = (path: string) =>
    path
      .replace(/^(?:apps|libs\/contracts)\/[^/]+\//, '')
      .replace(/^src\/[^/]+\/(commands|queries)\/.*/, '$1')
      .replace(/^proto\/.*/, 'proto')
      .replace(/^(?:.*\/)?[^/.]+\.(?=[^/]*\.)/, '');
  const kindsOf = (root: string) =>
    new Set(
      filesUnder(tree, root)
        .filter((path) => !/\/(schemas|generated)\//.test(path))
        .map(kindOf),
    );

  it('has the kinds of files that Identity has, and says its own besides', async () => {
    await service(tree, { name: 'orders' });
    const own = [...kindsOf(APP)].filter((kind) => !kindsOf('apps/identity').has(kind));
    expect(own.filter((kind) => kind !== 'README.md').sort()).toEqual(['config.ts', 'example.ts']);
    const missing = [...kindsOf('apps/identity')].filter((kind) => !kindsOf(APP).has(kind));
    expect(missing).toEqual([]);
    expect(
      [...kindsOf(CONTRACT)].filter((kind) => !kindsOf('libs/contracts/identity').has(kind)),
    ).toEqual([]);
  });

  it('is set up as Identity is', async () => {
    await service(tree, { name: 'orders' });
    for (const [own, model] of [
      [APP, 'apps/identity'],
      [CONTRACT, 'libs/contracts/identity'],
    ] as const) {
      const [generated, identity] = [own, model].map((root) =>
        readJson<{ tags: string[] }>(tree, `${root}/project.json`),
      );
      const renamed = identity?.tags.map((tag) => tag.replace('identity', 'orders'));
      expect(generated?.tags).toEqual(expect.arrayContaining(renamed ?? []));
      expect(readText(tree, `${own}/tsconfig.json`)).toBe(readText(tree, `${model}/tsconfig.json`));
      expect(generated).not.toHaveProperty('targets');
    }
    expect(packageJson(APP).gatehouse).toEqual({
      name: 'orders',
      prefixes: ['/v1/orders'],
      namespace: 'orders',
    });
  });

  it('depends on the versions that the core services depend on', () => {
    const identity = JSON.parse(readFileSync(`${WORKSPACE}apps/identity/package.json`, 'utf8')) as {
      version: string;
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const known = { ...identity.dependencies, ...identity.devDependencies };
    expect(
      Object.fromEntries(Object.keys(versions.others).map((name) => [name, known[name]])),
    ).toEqual(versions.others);
    expect(versions.platform).toBe(identity.version);
  });

  it('is one and the same in whatever case it is named', async () => {
    const named = async (name: string) => {
      const fresh = workspaceTree();
      await service(fresh, { name });
      return contentsOf(fresh);
    };
    const first = await named('order-items');
    for (const name of ['Order Items', 'OrderItems', 'ORDER_ITEMS']) {
      expect(await named(name)).toEqual(first);
    }
    expect(Object.keys(first)).toContain(
      '/libs/contracts/order-items/proto/gatehouse/order_items/v1/order_items.proto',
    );
  });

  it('says what it is for and whose it is', async () => {
    await service(tree, { name: 'orders', description: 'What was ordered', owner: 'Team Orders' });
    expect(readJson(tree, `${APP}/package.json`)).toMatchObject({
      description: 'What was ordered.',
      author: 'Team Orders',
    });
    expect(readText(tree, `${APP}/README.md`)).toContain('Owner: Team Orders');
  });

  it('lies where it is told to, under apps', async () => {
    await service(tree, { name: 'orders', directory: 'apps/shop-orders', resource: 'purchase' });
    expect(tree.exists('apps/shop-orders/src/purchases/purchase.entity.ts')).toBe(true);
    expect(packageJson('apps/shop-orders').gatehouse.prefixes).toEqual([
      '/v1/orders',
      '/v1/purchases',
    ]);
    for (const directory of ['services/a', '../a', 'apps', 'apps/a/b', 'apps/identity']) {
      await expectRefusal(() => service(tree, { name: 'other', directory }), /directory|taken/);
    }
  });

  it('without gRPC has neither .proto nor rpc', async () => {
    await service(tree, { name: 'orders', grpc: false });
    const files = [...filesUnder(tree, APP), ...filesUnder(tree, CONTRACT)];
    expect(files.filter((file) => /proto|rpc|buf|batch-get|contract\.ts/.test(file))).toEqual([]);
    expect(packageJson(APP).dependencies).not.toHaveProperty('@nestjs/microservices');
  });

  it('is refused where the name, its path or its error is taken, before anything is written', async () => {
    await service(tree, { name: 'orders' });
    await expectRefusal(() => service(tree, { name: 'Orders' }), 'there is a service "orders"');
    await expectRefusal(() => service(tree, { name: 'identity' }), 'reserved');
    await expectRefusal(() => service(tree, { name: 'users' }), '/v1/users is taken: identity');
    await expectRefusal(
      () => service(tree, { name: 'shop', resource: 'order' }),
      '/v1/orders is taken',
    );
    await expectRefusal(() => service(tree, { name: 'shop', resource: 'class' }), 'reserved');
    await expectRefusal(
      () => service(tree, { name: 'shop', fields: 'x:money' }),
      'no type "money"',
    );
    tree.write(`${CONTRACT}/src/errors.ts`, 'export class ParcelNotFound {}');
    await expectRefusal(
      () => service(tree, { name: 'shop', resource: 'parcel' }),
      'ParcelNotFound is taken',
    );
  });
});

describe('a service without a database', () => {
  const MODULE = `${APP}/src/orders.module.ts`;
  beforeEach(() => service(tree, { name: 'orders', database: false, fields: FIELDS }));

  it('publishes from memory, and waits for Audit where something must be recorded', () => {
    expectCode(
      MODULE,
      'EventBusModule.withoutDatabase({ events: [ordersEvents] })',
      "GuardsModule.forService({ audit: 'buffered' })",
      'KernelModule.forService({ grpc: [ordersV1] })',
    );
    expectCode(
      `${APP}/src/orders/commands/create-order.ts`,
      'await this.audit.recordNow(',
      "this.events.publish('orders.order.created.v1'",
    );
    expectCode(
      `${APP}/src/orders/orders.controller.ts`,
      "@RequirePermission('orders.order.create'",
      '@RateLimit(',
      "@Audited('orders.order.create')",
    );
  });

  it('has nothing of a database', () => {
    const { dependencies } = packageJson(APP);
    for (const name of ['@gatehouse/persistence', '@gatehouse/cache', 'typeorm']) {
      expect(dependencies).not.toHaveProperty(name);
    }
    const files = [...filesUnder(tree, APP), ...filesUnder(tree, CONTRACT)];
    for (const path of files) {
      const text = readText(tree, path);
      expect(text).not.toMatch(/@gatehouse\/(persistence|cache)'|typeorm|Transactional|outbox/);
    }
    expect(files.filter((path) => /migration|entity|store/.test(path))).toEqual([]);
    expect(servicesOf(tree).find(({ names }) => names.kebab === 'orders')?.database).toBe(false);
  });

  it('has tests of all three kinds, and does without gRPC too', async () => {
    const tests = filesUnder(tree, APP).filter((path) => path.includes('spec'));
    expect(tests).toEqual([
      `${APP}/src/orders/orders.schemas.spec.ts`,
      `${APP}/test/orders.e2e-spec.ts`,
      `${APP}/test/orders.int-spec.ts`,
    ]);
    await service(tree, { name: 'shop', database: false, grpc: false, resource: 'basket' });
    const files = [...filesUnder(tree, 'apps/shop'), ...filesUnder(tree, 'libs/contracts/shop')];
    expect(files.filter((file) => /proto|rpc|buf|contract\.ts/.test(file))).toEqual([]);
  });

  it('gets further resources, events, subscribers, permissions and clients', async () => {
    await resource(tree, { name: 'note', service: 'orders', fields: FIELDS });
    expectCode(MODULE, 'NotesController', 'RecentNotes', 'grpc: [ordersV1, notesV1]');
    await event(tree, { name: 'shipped', service: 'orders', resource: 'note' });
    expectCode(`${CONTRACT}/src/events.ts`, "'orders.note.shipped.v1': NoteReference");
    expect(readText(tree, `${CONTRACT}/src/note-shipped.spec.ts`)).not.toContain('version');
    const hear = { service: 'orders', event: 'identity.user.deleted.v1' };
    await subscriber(tree, { name: 'forget', ...hear });
    expect(readText(tree, `${APP}/src/subscribers/forget.subscriber.ts`)).toContain('idempotent');
    expect(readText(tree, `${APP}/test/forget.subscriber.int-spec.ts`)).not.toContain('inbox');
    await permission(tree, { name: 'order.refund', service: 'orders', description: 'Refund' });
    expectCode(MODULE, "audit: 'buffered', permissions: [");
    await client(tree, { name: 'identity', in: 'orders' });
    expectCode(MODULE, 'ClientsModule.forFeature([identityV1])');
  });

  it('is refused what works on rows, before anything is written', async () => {
    const of = { name: 'x', service: 'orders', resource: 'order' };
    await expectRefusal(() => command(tree, of), 'orders has no database: the command');
    await expectRefusal(() => query(tree, of), 'orders has no database: the query');
    await expectRefusal(() => rpc(tree, of), 'orders has no database: the rpc');
  });

  it('is known to the check, which says where one is mixed with the other', () => {
    const departures = () => {
      const found = servicesOf(tree).find(({ names }) => names.kebab === 'orders');
      return departuresOf(tree, found!).map(({ says }) => says);
    };
    expect(departures()).toEqual([]);
    const text = readText(tree, MODULE);
    tree.write(MODULE, text.replace('withoutDatabase', 'forService'));
    expect(departures()).toEqual(['calls EventBusModule.forService, and has no database']);
    tree.write(MODULE, text.replace("{ audit: 'buffered' }", ''));
    expect(departures()).toEqual([
      "does not give GuardsModule audit: 'buffered', and has no outbox",
    ]);
  });

  it('leaves the workspace as it was before when it is removed, and one role to drop', async () => {
    const found = servicesOf(tree).find(({ names }) => names.kebab === 'orders');
    expect(whatIsLeft(found!)).toContain('DROP ROLE IF EXISTS "orders_app"');
    expect(whatIsLeft(found!)).not.toMatch(/DROP SCHEMA|orders_owner|orders_migrator/);
    await removeService(tree, { name: 'orders' });
    expect(contentsOf(tree)).toEqual(contentsOf(workspaceTree()));
  });
});

describe('a further resource', () => {
  beforeEach(() => service(tree, { name: 'orders' }));
  const add = (name = 'Delivery Notes', fields = FIELDS) =>
    resource(tree, { name, service: 'Orders', fields });

  it('is wired wherever the first one is', async () => {
    await add();
    expectCode(
      `${APP}/src/orders.module.ts`,
      ...[
        'entities: [Order, DeliveryNote]',
        'grpc: [ordersV1, deliveryNotesV1]',
        'DeliveryNotesController',
        'DeliveryNotesRpc',
        'CreateDeliveryNoteHandler',
        'BatchGetDeliveryNotesHandler',
      ],
    );
    expect(readText(tree, `${APP}/src/migrations/orders.migrations.ts`)).toMatch(
      /0001-orders[^]*0002-delivery-notes[^]*CREATE TABLE delivery_notes/,
    );
    expect(readText(tree, `${CONTRACT}/src/errors.ts`)).toContain('DELIVERY_NOTE_NOT_FOUND');
    expectCode(`${CONTRACT}/src/events.ts`, "'orders.delivery-note.created.v1'");
    expect(packageJson(APP).gatehouse.prefixes).toEqual(['/v1/orders', '/v1/delivery-notes']);
  });

  it('maps each type of field at every border', async () => {
    await add('parcel', `${FIELDS} at:datetime? seen:boolean weight:integer owner:uuid note:text`);
    const at = (file: string) => `${APP}/src/parcels/${file}`;
    expectCode(
      at('parcel.entity.ts'),
      "@Column({ type: 'timestamptz', precision: 3, nullable: true })",
    );
    expectCode(at('parcels.schemas.ts'), 'at: TimestampInput.nullish()');
    expectCode(at('parcel.mapping.ts'), 'at: row.at === null ? null : row.at.toISOString(),');
    expectCode(at('commands/create-parcel.ts'), 'at: body.at == null ? null : new Date(body.at),');
    expectCode(at('queries/list-parcels.ts'), 'item.owner = :owner');
    const proto = readText(tree, `${CONTRACT}/proto/gatehouse/orders/v1/parcels.proto`);
    expect(proto).toContain('PARCEL_STATUS_PAID = 2;');
    expect(proto).toContain('optional string due = 8;');
  });

  it('leaves what a team has written as it is, and is refused a second time', async () => {
    const controller = `${APP}/src/orders/orders.controller.ts`;
    const module = `${APP}/src/orders.module.ts`;
    const ours = `${readText(tree, controller)}// ours\n`;
    tree.write(controller, ours);
    tree.write(module, readText(tree, module).replace('/** Orders:', '// Ours.\n/** Orders:'));
    await add();
    expect(readText(tree, controller)).toBe(ours);
    expect(readText(tree, module)).toContain('// Ours.');
    await expectRefusal(() => add(), 'is there already');
    await expectRefusal(() => add('order'), 'is there already');
  });

  it('is refused for a service that is not there, or fields that are none', async () => {
    await expectRefusal(
      () => resource(tree, { name: 'x', service: 'shop', fields: 'a:string' }),
      'there is no service "shop" under apps/; there are identity, orders',
    );
    await expectRefusal(() => add('parcel', 'a:strng'), 'no type "strng"');
    await expectRefusal(() => add('user'), '/v1/users is taken');
  });
});

describe('one more', () => {
  beforeEach(() => service(tree, { name: 'orders', fields: FIELDS }));
  const of = { service: 'orders', resource: 'order' };
  const MODULE = `${APP}/src/orders.module.ts`;

  it('command is a handler in the module, with its test', async () => {
    await command(tree, { name: 'Pay Order', ...of });
    expectCode(MODULE, 'PayOrderHandler');
    expect(tree.exists(`${APP}/src/orders/commands/pay-order.ts`)).toBe(true);
    expect(tree.exists(`${APP}/test/pay-order.int-spec.ts`)).toBe(true);
    await expectRefusal(() => command(tree, { name: 'payOrder', ...of }), 'pay-order.ts');
    await expectRefusal(
      () => command(tree, { name: 'x', service: 'orders', resource: 'user' }),
      'no generated resource',
    );
    await expectRefusal(() => command(tree, { name: 'x', service: 'identity' }), 'There are none');
  });

  it('query is a handler in the module, with its test', async () => {
    await query(tree, { name: 'FindUnpaidOrders', service: 'orders' });
    expectCode(MODULE, "from './orders/queries/find-unpaid-orders.ts'");
    expect(tree.exists(`${APP}/test/find-unpaid-orders.int-spec.ts`)).toBe(true);
  });

  it('event is in the catalogue, with its test', async () => {
    await event(tree, { name: 'shipped', ...of });
    expectCode(`${CONTRACT}/src/events.ts`, "'orders.order.shipped.v1': OrderReference");
    expect(tree.exists(`${CONTRACT}/src/order-shipped.spec.ts`)).toBe(true);
    await expectRefusal(() => event(tree, { name: 'shipped', ...of }), 'already');
  });

  it('subscriber hears an event that is published, and no other', async () => {
    const hear = (type: string) =>
      subscriber(tree, { name: 'forget customers', service: 'orders', event: type });
    await expectRefusal(() => hear('identity.user.gone.v1'), 'there are identity.user.created.v1,');
    await hear('identity.user.deleted.v1');
    expectCode(MODULE, ', ForgetCustomersSubscriber');
    expect(packageJson(APP).dependencies).toHaveProperty('@gatehouse/contracts-identity');
    expect(readText(tree, `${APP}/test/forget-customers.subscriber.int-spec.ts`)).toMatch(
      /version['"]?: ?1/,
    );
  });

  it('rpc is in the .proto, the handler and the schemas, for those who are named', async () => {
    await rpc(tree, { name: 'lookup order', ...of, allow: 'identity' });
    expect(readText(tree, `${CONTRACT}/proto/gatehouse/orders/v1/orders.proto`)).toContain(
      'rpc LookupOrder(LookupOrderRequest) returns (LookupOrderResponse) {',
    );
    const handler = readText(tree, `${APP}/src/orders/orders.rpc.ts`);
    expect(handler).toMatch(/@AllowedClients\('identity'\)\s+async lookupOrder/);
    await expectRefusal(() => rpc(tree, { name: 'LookupOrder', ...of }), '"LookupOrder" is taken');
    await expectRefusal(() => rpc(tree, { name: 'GetOrder', ...of }), '"GetOrder" is taken');
    await expectRefusal(
      () => rpc(tree, { name: 'x', ...of, allow: 'nobody' }),
      'no service "nobody"',
    );
  });

  it('permission is declared to the platform', async () => {
    const name = 'orders.order.refund';
    await permission(tree, { name, service: 'orders', description: "Refund somebody's order" });
    expectCode(MODULE, "name: 'orders.order.refund'");
    await expectRefusal(
      () => permission(tree, { name: 'order.refund', service: 'orders', description: '' }),
      'declares orders.order.refund already',
    );
    await expectRefusal(
      () => permission(tree, { name: 'refund', service: 'orders', description: '' }),
      'expected <resource>.<action>',
    );
  });

  it('client has the one method that is asked for, where the caller is let in', async () => {
    await client(tree, { name: 'identity', in: 'orders' });
    expectCode(MODULE, 'ClientsModule.forFeature([identityV1])');
    expect(readText(tree, `${APP}/src/clients/identity.client.ts`)).toContain('getUser(');
    expect(readJson(tree, `${APP}/package.json`)).toMatchObject({
      dependencies: { '@gatehouse/clients': versions.platform },
    });
    await expectRefusal(
      () => client(tree, { name: 'identity', in: 'orders', method: 'createUser' }),
      'lets only auth, provisioner call CreateUser',
    );
    await expectRefusal(
      () => client(tree, { name: 'identity', in: 'orders', method: 'x' }),
      'has no method "x"',
    );
    await expectRefusal(() => client(tree, { name: 'orders', in: 'orders' }), 'call itself');
  });

  it('library has tags that bound it', async () => {
    await library(tree, { name: 'Money' });
    expect(tagsOf('libs/money')).toEqual(['type:lib', 'scope:shared']);
    await expectRefusal(() => library(tree, { name: 'money' }), 'taken');
    await expectRefusal(() => library(tree, { name: 'x', scope: 'nobody' }), 'no service "nobody"');
  });
});

describe('every generator of a part', () => {
  beforeEach(() => service(tree, { name: 'orders', fields: FIELDS }));
  const HEARD = 'identity.user.deleted.v1';
  type Generate = (name: string, of: string) => Promise<unknown>;
  const parts: [string, Generate][] = [
    ['resource', (name, of) => resource(tree, { name, service: of, fields: 'a:string' })],
    ['command', (name, of) => command(tree, { name, service: of })],
    ['query', (name, of) => query(tree, { name, service: of })],
    ['event', (name, of) => event(tree, { name, service: of })],
    ['subscriber', (name, of) => subscriber(tree, { name, service: of, event: HEARD })],
    ['rpc', (name, of) => rpc(tree, { name, service: of })],
    ['permission', (name, of) => permission(tree, { name, service: of, description: 'x' })],
    ['library', (name, of) => library(tree, { name, scope: of })],
  ];

  it.each(parts)('%s is refused for a service that is not there', async (_part, generate) => {
    await expectRefusal(() => generate('thing.part', 'shop'), /there is no service "shop"|cannot/);
    await expectRefusal(() => generate('thing', 'shop'), 'there is no service "shop"');
  });

  it.each(parts)('%s is refused a name that is no identifier, or none', async (_part, generate) => {
    for (const name of ['', '7up', 'a$b', 'żółw']) {
      await expectRefusal(() => generate(name, 'orders'), /cannot name|is no permission/);
    }
  });

  it.each(parts.filter(([part]) => part !== 'permission'))(
    '%s is refused a reserved word',
    async (_part, generate) => {
      await expectRefusal(() => generate('class', 'orders'), '"class" is reserved');
    },
  );
});

describe('a service that is removed', () => {
  it('leaves the workspace as it was before', async () => {
    const before = contentsOf(tree);
    await service(tree, { name: 'orders' });
    await resource(tree, { name: 'parcel', service: 'orders', fields: FIELDS });
    await removeService(tree, { name: 'Orders' });
    expect(contentsOf(tree)).toEqual(before);
  });

  it('is refused where something uses it, and where it is the platform', async () => {
    await service(tree, { name: 'orders' });
    await service(tree, { name: 'shop', resource: 'basket' });
    await client(tree, { name: 'orders', in: 'shop' });
    await expectRefusal(() => removeService(tree, { name: 'orders' }), 'is used by apps/shop');
    await expectRefusal(() => removeService(tree, { name: 'identity' }), 'part of the platform');
    await expectRefusal(() => removeService(tree, { name: 'nothing' }), 'there is no service');
  });

  it('says what of it is left, and how to drop it', async () => {
    await service(tree, { name: 'order-items' });
    const [found] = servicesOf(tree).filter(({ names }) => names.kebab === 'order-items');
    const text = whatIsLeft(found!);
    for (const part of [
      'DROP SCHEMA IF EXISTS "order-items" CASCADE;',
      'DROP ROLE IF EXISTS "order-items_owner";',
      "topic LIKE 'order-items.%'",
      'credentials/order-items',
    ]) {
      expect(text).toContain(part);
    }
  });
});
