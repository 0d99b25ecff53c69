import { Outcome } from '@gatehouse/contracts-audit';
import {
  type CloudEvent,
  defineEvents,
  type EventDataOf,
  type IntegrationEventMap,
} from '@gatehouse/contracts-platform';
import {
  EventBusModule,
  eventBusMigrations,
  eventBusPlatformSql,
  IntegrationEvents,
  OnIntegrationEvent,
} from '@gatehouse/event-bus';
import { Database, PersistenceModule, Transactional } from '@gatehouse/persistence';
import { provisionedDatabase, type ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { EventOperationsModule } from '../src/index.ts';
import { GuardedService } from './support/guarded-service.ts';

const schemas = { 'orders.order.shipped.v1': z.strictObject({ n: z.int() }) };

declare module '@gatehouse/contracts-platform' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an augmentation
  interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
}

const TYPE = 'orders.order.shipped.v1';
const migrations = [
  ...eventBusMigrations,
  { name: '0001-shipped', up: 'CREATE TABLE shipped (key text, n integer)' },
];

let refusing = true;

@Injectable()
class Shipping {
  constructor(
    private readonly database: Database,
    private readonly events: IntegrationEvents,
  ) {}

  @Transactional()
  async ship(key: string, ...numbers: number[]): Promise<void> {
    for (const n of numbers) this.events.publish(TYPE, { key, data: { n } });
    await Promise.resolve();
  }

  @OnIntegrationEvent(TYPE, { consumer: 'write-down' })
  async writeDown(event: CloudEvent<IntegrationEventMap[typeof TYPE]>): Promise<void> {
    const { partitionkey, data } = event;
    await this.database.query('INSERT INTO shipped VALUES ($1, $2)', [partitionkey, data.n]);
    if (refusing && data.n === 13) throw new Error('refused');
  }
}

interface Letter {
  id: string;
  key: string;
}
interface Page<T> {
  items: T[];
  next_page_token: string | null;
}
interface Answer<T> {
  status: number;
  body: T;
}

// The first database of a run starts PostgreSQL.
jest.setTimeout(60_000);

describe('what a service serves to operators of its events', () => {
  let database: ProvisionedDatabase;
  let service: GuardedService;
  let key = 0;

  beforeAll(async () => {
    database = await provisionedDatabase({
      services: { orders: migrations },
      platformSql: eventBusPlatformSql,
    });
    service = await GuardedService.start(
      {
        imports: [
          PersistenceModule.forService({ entities: [], migrations }),
          EventBusModule.forService({ events: [defineEvents('orders', schemas)] }),
          EventOperationsModule,
        ],
        providers: [Shipping],
      },
      {
        guards: { audit: 'outbox' },
        env: {
          GATEHOUSE_CREDENTIALS_DIR: database.credentialsDir('orders'),
          EVENT_MAX_ATTEMPTS: '1',
          EVENT_POLL_MS: '200',
        },
      },
    );
    service.core.role({ id: 'admin', allPermissions: true });
    service.core.bind('operator', ['admin', 'platform']);
    service.core.role({ id: 'reader', permissions: ['orders.dead-letter.read'] });
    service.core.bind('reader', ['reader', 'platform']);
    service.core.bind('tenant', ['admin', 'organization:o1']);
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    refusing = true;
    const db = service.get(Database);
    await db.query('DELETE FROM held_events');
    await db.query('UPDATE consumer_keys SET held = 0');
    await settled();
    service.core.entries.length = 0;
  });

  const call = async <T = unknown>(
    method: string,
    path: string,
    { body, as = 'operator' }: { body?: object; as?: string | undefined } = {},
  ): Promise<Answer<T>> => {
    const answer = await service.fetch(`/v1/orders${path}`, {
      method,
      token: service.issuer.token({ sub: as }),
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await answer.text();
    return { status: answer.status, body: (text ? JSON.parse(text) : undefined) as T };
  };
  const settled = () =>
    eventually(
      async () => {
        const rows = await service.get(Database).query('SELECT FROM outbox LIMIT 1');
        return rows.length === 0;
      },
      { timeoutMs: 10_000 },
    );
  const shipped = async (of: string) =>
    (
      await service
        .get(Database)
        .query<{ n: number }>('SELECT n FROM shipped WHERE key = $1 ORDER BY n', [of])
    ).map(({ n }) => n);
  /** So many keys, each with a dead letter and an event behind it. */
  const deadLetters = async (count: number): Promise<Letter[]> => {
    for (let i = 0; i < count; i += 1) await service.get(Shipping).ship(`k${(key += 1)}`, 13, 14);
    return eventually(
      async () => {
        const { body } = await call<Page<{ waiting: number }>>('GET', '/events/parked-keys');
        expect(body.items.filter(({ waiting }) => waiting === 1)).toHaveLength(count);
        const { body: letters } = await call<Page<Letter>>('GET', '/dead-letters');
        expect(letters.items).toHaveLength(count);
        return letters.items;
      },
      { timeoutMs: 15_000 },
    );
  };
  const recorded = async () => {
    await settled();
    return service.core.entries.map(({ action, outcome, target, metadataJson }) => ({
      action,
      outcome,
      id: target?.id ?? '',
      metadata: JSON.parse(metadataJson) as unknown,
    }));
  };

  it.each([
    ['GET', '/events/topics'],
    ['GET', '/events/consumers'],
    ['GET', '/events/outbox'],
    ['GET', '/events/parked-keys'],
    ['POST', '/dead-letters/0199c0de-0000-7000-8000-000000000000/replay'],
    ['DELETE', '/dead-letters/0199c0de-0000-7000-8000-000000000000'],
    ['POST', '/dead-letters/replay', { filter: {} }],
    ['POST', '/dead-letters/discard', { filter: {} }],
  ])('refuses %s %s to who may only read dead letters, and to a tenant', async (...route) => {
    const [method, path, body] = route;
    for (const as of ['reader', 'tenant']) {
      const { status } = await call(method, path, { as, ...(body && { body }) });
      expect(status).toBe(403);
    }
    expect((await service.fetch(`/v1/orders${path}`, { method })).status).toBe(401);
    expect((await call('GET', '/dead-letters', { as: 'reader' })).status).toBe(200);
  });

  it('declares its permissions for the platform, and its writes as audited, in the manifest', () => {
    const manifest = JSON.parse(Buffer.from(service.announced.at(-1)?.bytes ?? '').toString()) as {
      permissions: { name: string; scope: string }[];
      routes: { path: string; audited?: string }[];
    };
    for (const name of ['events.read', 'dead-letter.read', 'dead-letter.replay'])
      expect(manifest.permissions).toContainEqual(
        expect.objectContaining({ name: `orders.${name}`, scope: 'platform' }),
      );
    expect(manifest.routes).toContainEqual(
      expect.objectContaining({
        path: '/v1/orders/dead-letters/discard',
        audited: 'orders.dead-letter.discard',
      }),
    );
  });

  it('shows topics, consumers, what is parked and what waits to be sent', async () => {
    const [letter] = await deadLetters(1);
    const topics = await call<Page<object>>('GET', '/events/topics');
    expect(topics.body.items).toEqual([
      expect.objectContaining({ topic: 'orders.order', retention_seconds: 7 * 24 * 3600 }),
    ]);
    await eventually(async () => {
      const consumers = await call<Page<{ members: string[] }>>('GET', '/events/consumers');
      expect(consumers.body.items).toEqual([
        expect.objectContaining({
          consumer: 'write-down',
          mode: 'group',
          topics: ['orders.order'],
          types: [TYPE],
          lag: 0,
          dead_letters: 1,
          parked_keys: 1,
        }),
      ]);
      expect(consumers.body.items[0]?.members).toHaveLength(1);
    });
    const parked = await call<Page<object>>('GET', '/events/parked-keys?consumer=write-down');
    expect(parked.body).toEqual({
      items: [
        {
          consumer: 'write-down',
          topic: 'orders.order',
          key: letter?.key,
          since: expect.stringMatching(/^\d{4}-.*Z$/),
          state: 'dead',
          attempts: 1,
          due_at: null,
          waiting: 1,
          dead_letter_id: letter?.id,
        },
      ],
      next_page_token: null,
    });
    const outbox = await call<Page<{ channel: string }>>('GET', '/events/outbox');
    expect(outbox.body.items.map(({ channel }) => channel).sort()).toEqual(['audit', 'events']);
    expect((await call('GET', `/dead-letters/${letter?.id ?? ''}`)).body).toMatchObject({
      id: letter?.id,
      waiting: 1,
      reason: { code: 'INTERNAL_ERROR' },
    });
  });

  it('pages parked keys with tokens bound to the query', async () => {
    await deadLetters(3);
    const first = await call<Page<Letter>>('GET', '/events/parked-keys?page_size=2');
    const token = first.body.next_page_token ?? '';
    const next = await call<Page<Letter>>(
      'GET',
      `/events/parked-keys?page_size=2&page_token=${token}`,
    );
    expect(next.body.next_page_token).toBeNull();
    const keys = [...first.body.items, ...next.body.items].map((parked) => parked.key);
    expect(new Set(keys).size).toBe(3);
    const other = await call('GET', `/events/parked-keys?consumer=x&page_token=${token}`);
    expect(other.status).toBe(400);
  });

  it('finds dead letters by consumer, type, reason and time', async () => {
    await deadLetters(1);
    const count = async (query: string) =>
      (await call<Page<Letter>>('GET', `/dead-letters?${query}`)).body.items.length;
    expect(await count(`consumer=write-down&type=${TYPE}&reason=INTERNAL_ERROR`)).toBe(1);
    expect(await count('failed_from=2026-01-01T00:00:00Z')).toBe(1);
    expect(await count('failed_before=2026-01-01T00:00:00%2B02:00')).toBe(0);
    expect(await count('reason=OTHER')).toBe(0);
    expect((await call('GET', '/dead-letters?failed_from=yesterday')).status).toBe(400);
  });

  it('replays many by id: an outcome and an audit entry each, and one of the call', async () => {
    const letters = await deadLetters(3);
    refusing = false;
    const missing = '0199c0de-0000-7000-8000-000000000000';
    const ids = [...letters.map(({ id }) => id), missing];
    const { status, body } = await call('POST', '/dead-letters/replay', { body: { ids } });
    expect(status).toBe(200);
    expect(body).toEqual({
      items: [
        ...letters.map(({ id }) => ({ id, outcome: 'handled' })),
        { id: missing, outcome: 'gone' },
      ],
      next_page_token: null,
    });
    for (const { key: of } of letters)
      await eventually(async () => expect(await shipped(of)).toEqual([13, 14]));
    const entries = await recorded();
    expect(entries).toHaveLength(5);
    expect(entries.every(({ action }) => action === 'orders.dead-letter.replay')).toBe(true);
    for (const { id } of letters) {
      expect(entries).toContainEqual(
        expect.objectContaining({ id, outcome: Outcome.OUTCOME_SUCCESS }),
      );
    }
    expect(entries).toContainEqual(
      expect.objectContaining({ id: missing, outcome: Outcome.OUTCOME_FAILURE }),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({
        id: '',
        metadata: { asked: { ids }, outcomes: { handled: 3, gone: 1 } },
      }),
    );
  });

  it('has one effect of what is replayed by many at once', async () => {
    const [letter] = await deadLetters(1);
    refusing = false;
    const path = `/dead-letters/${letter?.id ?? ''}/replay`;
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        i % 2 === 0
          ? call('POST', path)
          : call('POST', '/dead-letters/replay', { body: { ids: [letter?.id] } }),
      ),
    );
    expect(answers.every(({ status }) => [200, 404].includes(status))).toBe(true);
    await eventually(async () => expect(await shipped(letter?.key ?? '')).toEqual([13, 14]));
  });

  it('discards by filter, so many a call, with a token for the rest', async () => {
    const letters = await deadLetters(3);
    const filter = { consumer: 'write-down', reason: 'INTERNAL_ERROR' };
    interface Batch {
      items: { outcome: string }[];
      next_page_token: string | null;
    }
    const discard = (body: object) => call<Batch>('POST', '/dead-letters/discard', { body });
    const first = await discard({ filter, limit: 2 });
    expect(first.body.items.map(({ outcome }) => outcome)).toEqual(['discarded', 'discarded']);
    const token = first.body.next_page_token;
    expect((await discard({ filter: {}, limit: 2, page_token: token })).status).toBe(400);
    const rest = await discard({ filter, limit: 2, page_token: token });
    expect(rest.body.items).toHaveLength(1);
    expect(rest.body.next_page_token).toBeNull();
    for (const { key: of } of letters)
      await eventually(async () => expect(await shipped(of)).toEqual([14]));
    const entries = await recorded();
    const ids = entries.map(({ id }) => id).filter((id) => id !== '');
    expect(ids.sort()).toEqual(letters.map(({ id }) => id).sort());
  });

  it.each([
    {},
    { limit: 5 },
    { ids: [] },
    { ids: ['x'] },
    { ids: Array(101).fill('0199c0de-0000-7000-8000-000000000000') },
    { filter: {}, limit: 0 },
    { filter: {}, limit: 101 },
    { filter: { colour: 'red' } },
    { filter: {}, ids: ['0199c0de-0000-7000-8000-000000000000'] },
  ])('refuses the selection %#', async (body) => {
    await deadLetters(1);
    expect((await call('POST', '/dead-letters/discard', { body })).status).toBe(400);
    expect((await call<Page<Letter>>('GET', '/dead-letters')).body.items).toHaveLength(1);
  });
});
