import { type AuditEntry, Outcome } from '@gatehouse/contracts-audit';
import { PlatformError } from '@gatehouse/contracts-platform';
import {
  DeadLetters,
  EventBusModule,
  eventBusMigrations,
  eventBusPlatformSql,
} from '@gatehouse/event-bus';
import { Database, Idempotent, PersistenceModule, Transactional } from '@gatehouse/persistence';
import { provisionedDatabase, type ProvisionedDatabase } from '@gatehouse/persistence/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Body, Controller, Delete, Get, Injectable, Param, Post } from '@nestjs/common';

import { Audited, AuditTrail, Authenticated, EventOperationsModule } from '../src/index.ts';
import { GuardedService } from './support/guarded-service.ts';

class OrderClosed extends PlatformError {
  static override readonly code = 'ORDER_CLOSED';
  static override readonly kind = 'failed-precondition';
  static override readonly title = 'The order is closed';
}

/** How often `place` is to fail with a serialization failure before it succeeds. */
let conflicts = 0;

@Injectable()
class Orders {
  constructor(
    private readonly database: Database,
    private readonly trail: AuditTrail,
  ) {}

  @Transactional()
  async place(id: string): Promise<{ id: string }> {
    await this.database.query('INSERT INTO orders (id) VALUES ($1)', [id]);
    if (id.startsWith('closed')) throw new OrderClosed();
    if (conflicts > 0) {
      conflicts -= 1;
      await this.database.query(
        `DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$`,
      );
    }
    return { id };
  }

  @Transactional({ readOnly: true })
  async read(id: string): Promise<unknown> {
    return (await this.database.query('SELECT id FROM orders WHERE id = $1', [id]))[0] ?? {};
  }

  async remove(id: string): Promise<void> {
    await this.trail.recordNow({ action: 'orders.order.remove', target: { type: 'order', id } });
    await this.database.query('DELETE FROM orders WHERE id = $1', [id]);
  }
}

@Controller('v1/orders')
@Authenticated()
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Post()
  @Audited('orders.order.place', {
    metadata: (result: { id: string } | undefined) => ({ placed: result?.id ?? null }),
  })
  @Idempotent()
  place(@Body() body: { id: string }) {
    return this.orders.place(body.id);
  }

  @Get(':id')
  @Audited('orders.order.read', {
    personal: (_result, { params }) => [
      { subjectId: 'u1', name: 'asked_for', value: params.id ?? '' },
    ],
  })
  read(@Param('id') id: string) {
    return this.orders.read(id);
  }

  @Delete(':id')
  remove(@Param('id') id: string) {
    return this.orders.remove(id);
  }
}

const orders = { name: '0001-orders', up: 'CREATE TABLE orders (id text PRIMARY KEY)' };

// The first database of a run starts PostgreSQL.
jest.setTimeout(60_000);

describe('the audit trail of a service with a schema', () => {
  let database: ProvisionedDatabase;
  let service: GuardedService;

  beforeAll(async () => {
    database = await provisionedDatabase({
      services: { orders: [...eventBusMigrations, orders] },
      platformSql: eventBusPlatformSql,
    });
    service = await GuardedService.start(
      {
        imports: [
          PersistenceModule.forService({
            entities: [],
            migrations: [...eventBusMigrations, orders],
          }),
          EventBusModule.forService(),
          EventOperationsModule,
        ],
        controllers: [OrdersController],
        providers: [Orders],
      },
      {
        guards: { audit: 'outbox' },
        env: { GATEHOUSE_CREDENTIALS_DIR: database.credentialsDir('orders') },
      },
    );
    service.core.role({ id: 'admin', allPermissions: true });
    service.core.bind('operator', ['admin', 'platform']);
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(() => {
    service.core.entries.length = 0;
  });

  const call = (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ) =>
    service.fetch(`/v1/orders${path}`, {
      method,
      token: service.issuer.token({ sub: 'operator' }),
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
  const recorded = (count: number): Promise<AuditEntry[]> =>
    eventually(
      () => {
        expect(service.core.entries).toHaveLength(count);
        return service.core.entries;
      },
      { timeoutMs: 5000, intervalMs: 20 },
    );
  const waiting = async () => {
    const rows = await service
      .get(Database)
      .query<{ n: number }>(`SELECT count(*)::int n FROM outbox WHERE channel = 'audit'`);
    return rows[0]?.n;
  };
  /** What is to happen has happened: nothing is left to be sent, and nothing more comes. */
  const settled = async () => {
    await eventually(async () => (await waiting()) === 0, { timeoutMs: 5000, intervalMs: 20 });
    await new Promise((resolve) => setTimeout(resolve, 100));
  };

  it('records a success in the transaction of the command, with its result as the target', async () => {
    expect((await call('POST', '', { id: 'o1' })).status).toBe(201);
    const [entry] = await recorded(1);
    expect(entry).toMatchObject({
      action: 'orders.order.place',
      outcome: Outcome.OUTCOME_SUCCESS,
      actor: { type: 'user', id: 'operator', sessionId: 'session-1' },
      target: { type: 'order', id: 'o1' },
      metadataJson: '{"placed":"o1"}',
    });
    expect(entry?.requestId).not.toBe('');
    expect(entry?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('records a failure once, after its transaction was rolled back', async () => {
    expect((await call('POST', '', { id: 'closed-1' })).status).toBe(409);
    await settled();
    expect(await recorded(1)).toMatchObject([
      {
        action: 'orders.order.place',
        outcome: Outcome.OUTCOME_FAILURE,
        reason: 'ORDER_CLOSED',
        metadataJson: '{"placed":null}',
      },
    ]);
  });

  it('records once what the database made run again', async () => {
    conflicts = 2;
    expect((await call('POST', '', { id: 'o2' })).status).toBe(201);
    await settled();
    expect(await recorded(1)).toMatchObject([
      { outcome: Outcome.OUTCOME_SUCCESS, target: { id: 'o2' } },
    ]);
  });

  it('keeps neither effect nor entry where the transaction does not commit', async () => {
    await call('POST', '', { id: 'o1' });
    await settled();
    expect(await recorded(1)).toMatchObject([{ outcome: Outcome.OUTCOME_FAILURE }]);
  });

  it('records once what a repeated Idempotency-Key asks for again', async () => {
    const headers = { 'idempotency-key': 'key-1' };
    expect((await call('POST', '', { id: 'o3' }, headers)).status).toBe(201);
    const repeated = await call('POST', '', { id: 'o3' }, headers);
    expect(repeated.headers.get('idempotency-replayed')).toBe('true');
    await settled();
    expect(await recorded(1)).toMatchObject([
      { outcome: Outcome.OUTCOME_SUCCESS, target: { id: 'o3' } },
    ]);
  });

  it('records a read afterwards, with personal values apart', async () => {
    await call('GET', '/o1');
    expect(await recorded(1)).toMatchObject([
      {
        action: 'orders.order.read',
        target: { type: 'order', id: 'o1' },
        metadataJson: '{}',
        personal: [{ subjectId: 'u1', name: 'asked_for', value: 'o1' }],
      },
    ]);
  });

  it('loses nothing while Audit is away, and doubles nothing when it is back', async () => {
    service.core.down = true;
    for (let i = 0; i < 20; i += 1)
      expect((await call('POST', '', { id: `away-${i}` })).status).toBe(201);
    expect(service.core.entries).toEqual([]);
    expect(await waiting()).toBe(20);
    service.core.down = false;
    await settled();
    const ids = (await recorded(20)).map(({ target }) => target?.id).sort();
    expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => `away-${i}`).sort());
  });

  it('fails closed where nothing may go on without a record', async () => {
    await call('POST', '', { id: 'kept' });
    await settled();
    service.core.down = true;
    expect((await call('DELETE', '/kept')).status).toBe(503);
    service.core.down = false;
    expect(await service.get(Database).query(`SELECT FROM orders WHERE id = 'kept'`)).toHaveLength(
      1,
    );
    expect((await call('DELETE', '/kept')).status).toBe(200);
    expect(await service.get(Database).query(`SELECT FROM orders WHERE id = 'kept'`)).toHaveLength(
      0,
    );
  });

  describe('its dead letters', () => {
    it('are listed under the name of the service, for who may read them', async () => {
      const response = await call('GET', '/dead-letters');
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ items: [], next_page_token: null });
      const nobody = { token: service.issuer.token({ sub: 'nobody' }) };
      expect((await service.fetch('/v1/orders/dead-letters', nobody)).status).toBe(403);
      expect((await service.fetch('/v1/orders/dead-letters')).status).toBe(401);
    });

    it('come in pages whose tokens are bound to the query', async () => {
      const letters = Array.from({ length: 5 }, (_, i) => ({
        id: `0199c0de-0000-7000-8000-00000000000${i}`,
      }));
      const source = service.get(DeadLetters);
      const list = source.list.bind(source);
      source.list = (({ after, limit = 25 }: { after?: string; limit?: number }) =>
        Promise.resolve(
          letters.filter(({ id }) => after === undefined || id > after).slice(0, limit),
        )) as never;
      try {
        interface Page {
          items: { id: string }[];
          next_page_token: string | null;
        }
        const seen: string[] = [];
        let query = '?page_size=2';
        for (;;) {
          const page = (await (await call('GET', `/dead-letters${query}`)).json()) as Page;
          seen.push(...page.items.map(({ id }) => id));
          if (page.next_page_token === null) break;
          query = `?page_size=2&page_token=${page.next_page_token}`;
        }
        expect(seen).toEqual(letters.map(({ id }) => id));
        expect((await call('GET', `/dead-letters${query}&consumer=other`)).status).toBe(400);
        expect((await call('GET', `/dead-letters?page_token=AAAA`)).status).toBe(400);
      } finally {
        source.list = list;
      }
    });

    it('answer 404 for one that is not there, 400 for what is no id, and record the attempt', async () => {
      const missing = '0199c0de-0000-7000-8000-000000000000';
      expect((await call('POST', `/dead-letters/${missing}/replay`)).status).toBe(404);
      expect((await call('DELETE', `/dead-letters/${missing}`)).status).toBe(404);
      expect((await call('DELETE', '/dead-letters/1')).status).toBe(400);
      await settled();
      expect(
        service.core.entries.map(({ action, outcome, reason }) => [action, outcome, reason]),
      ).toEqual(
        expect.arrayContaining([
          ['orders.dead-letter.replay', Outcome.OUTCOME_FAILURE, 'DEAD_LETTER_NOT_FOUND'],
          ['orders.dead-letter.discard', Outcome.OUTCOME_FAILURE, 'DEAD_LETTER_NOT_FOUND'],
        ]),
      );
    });
  });
});
