import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { until, Workshop } from './support/workshop.ts';

// A stranger's machine may be ten times slower than a quiet one.
jest.setTimeout(900_000);

const BODY = { title: 'Tea', total: '12.50', status: 'open' };
const FIELDS = 'title:string total:decimal due:date? status:enum(open,paid)';
const seconds = (since: number) => (performance.now() - since) / 1000;

describe('a team that adds a service to the platform that runs', () => {
  let workshop: Workshop;
  let served: ReturnType<Workshop['serve']>;
  let order: Record<string, unknown>;

  beforeAll(async () => {
    workshop = await Workshop.open();
    await workshop.bringUp();
  });
  afterAll(async () => {
    await workshop.close();
  });

  it('has its first answer through the gateway with two commands', async () => {
    const begun = performance.now();
    await workshop.nx('g', '@gatehouse/nx-plugin:service', 'Orders', `--fields=${FIELDS}`);
    const generated = seconds(begun);
    served = workshop.serve('orders');
    const made = await until(async () => {
      const answer = await workshop.call('POST', '/v1/orders', BODY);
      if (answer.status !== 201) {
        throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}\n${served.output()}`);
      }
      return answer.body;
    }, 300_000);
    console.log(
      `service orders: ${generated.toFixed(1)} s to generate, ` +
        `${seconds(begun).toFixed(1)} s from the command to the first 201 through the gateway`,
    );
    expect(made).toMatchObject({ ...BODY, due: null, version: 1 });
    order = made;
  });

  it('has changed nothing of anybody else but what npm writes', () => {
    expect(workshop.status().sort()).toEqual([
      '?? apps/orders/',
      '?? libs/contracts/orders/',
      'M package-lock.json',
    ]);
  });

  it('finds its permissions in the catalogue of Authz', async () => {
    await until(async () => {
      const { body } = await workshop.call('GET', '/v1/permissions?page_size=200');
      const names = body.items?.map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining(
          ['create', 'list', 'read', 'update', 'delete'].map((action) => `orders.order.${action}`),
        ),
      );
    });
  });

  it('finds in Audit who did what', async () => {
    await until(async () => {
      const path = `/v1/audit/entries?action=orders.order.create&target=${String(order.id)}`;
      const { body } = await workshop.call('GET', path);
      expect(body.items).toMatchObject([{ outcome: 'success', target: { id: order.id } }]);
    });
  });

  it('publishes what happens, listens to it, and is in the metrics of the gateway', async () => {
    const changed = await workshop.call(
      'PATCH',
      `/v1/orders/${String(order.id)}`,
      { status: 'paid' },
      { 'if-match': '"1"' },
    );
    expect(changed).toMatchObject({ status: 200, body: { status: 'paid', version: 2 } });
    await until(async () => {
      const { body } = await workshop.call('GET', '/v1/orders/events/topics');
      expect(body.items).toContainEqual(
        expect.objectContaining({ topic: 'orders.order', records: 2 }),
      );
    });
    const { body } = await workshop.call('GET', '/v1/orders/events/consumers');
    expect(body.items).toContainEqual(
      expect.objectContaining({ consumer: 'evict-orders', mode: 'broadcast', dead_letters: 0 }),
    );
    expect(await workshop.gatewayMetrics()).toMatch(/\{[^}]*="orders"/);
  });

  it('is described at /docs with everything else', async () => {
    // The gateway gathers the documents of all services, and leaves out who is slow to answer.
    await until(async () => {
      const { body } = await workshop.call('GET', '/openapi.json');
      expect(Object.keys(body.paths as object)).toEqual(
        expect.arrayContaining(['/v1/orders', '/v1/orders/{id}']),
      );
    });
  });

  it('goes on with a second resource and one of each part, and everything passes untouched', async () => {
    await served.stop();
    const script = 'libs/nx-plugin/test/support/generate-parts.mjs';
    await workshop.run(process.execPath, [script, workshop.root]);
    expect(workshop.status().sort()).toEqual([
      '?? apps/orders/',
      '?? libs/contracts/orders/',
      '?? libs/order-rules/',
      'M package-lock.json',
    ]);
    const own = ['apps/orders', 'libs/contracts/orders', 'libs/order-rules'];
    await workshop.run('node_modules/.bin/prettier', ['--check', ...own]);
    const projects = 'orders,contracts-orders,order-rules';
    const output = await workshop.nx('run-many', '-t', 'lint,typecheck,test,e2e', '-p', projects);
    for (const task of [
      'orders:lint',
      'orders:typecheck',
      'orders:test',
      'orders:e2e',
      'contracts-orders:test',
    ]) {
      expect(output).toContain(`nx run ${task}`);
    }
  });
});
