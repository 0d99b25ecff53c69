import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { blocksOf, eventually, missingFrom, type PageBlock } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { editedByATeam } from '../src/testing/older-service.ts';
import { NEXT, VERSION } from './support/packages.ts';
import { type Answer, Workshop } from './support/workshop.ts';

// A stranger's machine may be ten times slower than a quiet one.
jest.setTimeout(1_200_000);

const PARTS = fileURLToPath(new URL('support/generate-parts.mjs', import.meta.url));
const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const page = (name: string) => blocksOf(read(`docs/${name}`));

const gettingStarted = page('getting-started.md');
const tutorial = page('add-a-service.md');
const under = (section: string) => tutorial.filter((block) => block.section === section);
/** What a reader does in one go, with `npm start` and `nx serve` in terminals of their own. */
const first = [...gettingStarted, ...under('Make it'), ...under('See what it has')];
const GENERATES = 'nx-plugin:service orders';
const ANSWERS = '# prints 201';
const indexOf = (text: string) => first.findIndex(({ code }) => code.includes(text));

const WITHIN = { timeoutMs: 60_000, intervalMs: 100 };

describe('a team that follows the tutorial, from an empty folder and the published packages', () => {
  let workshop: Workshop;
  let printed: string[];
  /** When each block had ended, in milliseconds of one clock. */
  const ends: number[] = [];
  let tea: Answer;

  beforeAll(async () => {
    workshop = await Workshop.open();
    printed = await workshop.follow(first, {
      inside: false,
      afterBlock: () => void ends.push(performance.now()),
    });
    const begun = ends[indexOf(GENERATES) - 1] ?? Number.NaN;
    const since = (index: number) => (((ends[index] ?? Number.NaN) - begun) / 1000).toFixed(1);
    console.log(
      `service orders: ${since(indexOf(GENERATES))} s to generate, ` +
        `${since(indexOf(ANSWERS))} s from the command to the first 201 through the gateway`,
    );
  });
  afterAll(() => workshop.close());

  it.each(first.map((block, index) => ({ block, index, line: firstLine(block) })))(
    'is told the truth by block $index: $line',
    ({ block, index }) => expect(missingFrom(printed[index] ?? '', block)).toBeUndefined(),
  );

  it('has the first 201 through the gateway, and one copy of what must not be there twice', async () => {
    expect(first[indexOf(ANSWERS)]?.promised).toEqual(['201']);
    const found = JSON.parse(await workshop.run('npm', 'query', '[name="@nestjs/core"]')) as [];
    expect(found).toHaveLength(1);
  });

  it('has changed nothing of anybody else but what npm writes', () => {
    const own = ['?? apps/orders/', '?? libs/contracts/orders/', 'M package-lock.json'];
    expect(workshop.status()).toEqual(own.sort());
    for (const line of own) expect(printed.join('\n')).toContain(line);
  });

  it('answers with what was asked for', async () => {
    tea = await workshop.call('POST', '/v1/orders', {
      title: 'Green tea',
      total: '12.50',
      status: 'open',
    });
    expect(tea).toMatchObject({
      status: 201,
      body: { title: 'Green tea', total: '12.50', status: 'open', due: null, version: 1 },
    });
  });

  it('finds its permissions in the catalogue of Authz', async () => {
    await eventually(async () => {
      const { body } = await workshop.call('GET', '/v1/permissions?page_size=200');
      const names = body.items?.map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining(
          ['create', 'list', 'read', 'update', 'delete'].map((action) => `orders.order.${action}`),
        ),
      );
    }, WITHIN);
  });

  it('finds in Audit who did what', async () => {
    await eventually(async () => {
      const path = `/v1/audit/entries?action=orders.order.create&target=${String(tea.body.id)}`;
      const { body } = await workshop.call('GET', path);
      expect(body.items).toMatchObject([{ outcome: 'success', target: { id: tea.body.id } }]);
    }, WITHIN);
  });

  it('publishes what happens, and listens to it', async () => {
    await eventually(async () => {
      const { body } = await workshop.call('GET', '/v1/orders/events/topics');
      // Made, made, changed.
      expect(body.items).toContainEqual(
        expect.objectContaining({ topic: 'orders.order', records: 3 }),
      );
    }, WITHIN);
    const { body } = await workshop.call('GET', '/v1/orders/events/consumers');
    expect(body.items).toContainEqual(
      expect.objectContaining({ consumer: 'evict-orders', mode: 'broadcast', dead_letters: 0 }),
    );
  });

  it('has its spans in the trace, below those of the gateway, to the event', async () => {
    const trace = tea.headers.get('traceparent')?.split('-')[1] ?? '';
    await eventually(() => {
      const spans = workshop.spansOf(trace);
      const named = (service: string, name: string) =>
        spans.find((span) => span.service === service && span.name === name);
      const parentOf = (span?: { parent: string }) => spans.find(({ id }) => id === span?.parent);
      const server = named('orders', 'POST /v1/orders');
      expect(parentOf(parentOf(server))).toBe(named('gateway', 'POST /v1/orders'));
      expect(server).toBeDefined();
      expect(parentOf(named('orders', 'command CreateOrder'))).toBe(server);
      expect(named('orders', 'publish orders.order')).toBeDefined();
      expect(named('orders', 'send orders.order')).toBeDefined();
    }, WITHIN);
  });

  it('is in the metrics of the gateway, and in the list of services of the dashboards', async () => {
    expect(await workshop.metrics()).toMatch(/\{[^}]*="orders"/);
    const { templating } = JSON.parse(read('docker/grafana/dashboards/gatehouse-service.json')) as {
      templating: { list: { name: string; definition?: string }[] };
    };
    const list = templating.list.find(({ name }) => name === 'service')?.definition ?? '';
    const [, metric = 'none'] = /^label_values\((\w+), job\)$/.exec(list) ?? [];
    const admin = /"admin":"([^"]+)"/.exec(workshop.output('nx serve orders'))?.[1] ?? '';
    // Prometheus' job is the name that the service registers under, which is the name in this one.
    expect(await workshop.metrics(admin)).toMatch(
      new RegExp(`^${metric}\\{service="orders"[^}]*\\} 1$`, 'm'),
    );
  });

  it('is described at /docs with everything else', async () => {
    // The gateway gathers the documents of all services, and leaves out who is slow to answer.
    await eventually(async () => {
      const { body } = await workshop.call('GET', '/openapi.json');
      expect(Object.keys(body.paths as object)).toEqual(
        expect.arrayContaining(['/v1/orders', '/v1/orders/{id}']),
      );
    }, WITHIN);
  });

  it('goes on with a second resource and one of each part, and everything passes untouched', async () => {
    await workshop.interrupt('nx serve orders');
    await workshop.interrupt('npm start');
    await workshop.follow(under('Grow it'));
    await workshop.run('npx', 'node', PARTS);
    const generator = '@gatehouse/nx-plugin:service';
    await workshop.run('npx', 'nx', 'g', generator, 'conversions', '--no-database');
    expect(workshop.status()).toEqual(
      [
        '?? apps/conversions/',
        '?? apps/orders/',
        '?? libs/contracts/conversions/',
        '?? libs/contracts/orders/',
        '?? libs/order-rules/',
        'M package-lock.json',
      ].sort(),
    );
    await workshop.run('npx', 'prettier', '--check', '.');
    const output = await workshop.follow(under('Test it'));
    for (const task of ['orders:lint', 'orders:typecheck', 'orders:test', 'orders:e2e'])
      expect(output.join('\n')).toContain(`nx run ${task}`);
    const others = 'order-rules,conversions,contracts-conversions';
    const targets = 'lint,typecheck,test,e2e';
    const run = await workshop.run('npx', 'nx', 'run-many', '-t', targets, '-p', others);
    for (const target of targets.split(',')) expect(run).toContain(`nx run conversions:${target}`);
  });

  it('takes the next release, and a service of an older template with it: all tests pass', async () => {
    for (const [path, text] of Object.entries(editedByATeam()))
      workshop.write(path, text.replaceAll('"0.1.0"', `"${VERSION}"`));
    await workshop.publishNext();
    const steps = under('Keep it current').map((block) => ({
      ...block,
      // The fixture's template is of this version, whatever was installed since.
      code: block.code.replace(
        '@gatehouse/nx-plugin@latest',
        '@gatehouse/nx-plugin@latest --from=@gatehouse/nx-plugin@0.1.0',
      ),
    }));
    await workshop.follow(steps);
    const today = await workshop.run('npx', 'nx', 'g', '@gatehouse/nx-plugin:check');
    expect(today).toContain("as today's template has it");
    // What is generated of a contract is not part of the fixture; the target is inferred since.
    await workshop.run('npx', 'nx', 'run', 'contracts-parcels:generate');
    const manifests = ['package.json', 'apps/orders/package.json', 'apps/parcels/package.json'];
    for (const file of manifests) {
      expect(workshop.read(file)).toContain(`"@gatehouse/testing": "${NEXT}"`);
      expect(workshop.read(file)).toContain(`"@gatehouse/testing-platform": "${NEXT}"`);
    }
    const projects = 'orders,contracts-orders,parcels,contracts-parcels';
    const tests = await workshop.run(
      'npx',
      'nx',
      'run-many',
      '-t',
      'typecheck,test',
      '-p',
      projects,
    );
    for (const name of projects.split(',')) {
      expect(tests).toContain(`nx run ${name}:typecheck`);
      expect(tests).toContain(`nx run ${name}:test`);
    }
  });
});

function firstLine({ code }: PageBlock): string {
  return code.split('\n')[0] ?? '';
}
