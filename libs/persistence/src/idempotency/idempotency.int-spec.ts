import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createService, KernelModule, type RunningService } from '@gatehouse/kernel';
import {
  Body,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Injectable,
  Module,
  type NestInterceptor,
  Post,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { catchError, from, type Observable } from 'rxjs';
import { Database } from '../database/database.ts';
import { PersistenceModule } from '../persistence.module.ts';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { Transactional } from '../transactions/transactional.decorator.ts';
import { Idempotent } from './idempotent.decorator.ts';

interface OrderBody {
  item: string;
  wait?: number;
  fail?: boolean;
}

const runs: string[] = [];
const failing = new Set<string>();

@Injectable()
class Orders {
  constructor(private readonly database: Database) {}

  @Transactional()
  async place({ item, wait = 0 }: OrderBody) {
    runs.push(item);
    const [row] = await this.database.query<{ id: number }>(
      'INSERT INTO purchase (item) VALUES ($1) RETURNING id',
      [item],
    );
    await this.database.query('SELECT pg_sleep($1)', [wait]);
    if (failing.delete(item)) throw new Error('the stock is gone');
    return { id: row?.id, item, placedAt: new Date() };
  }
}

@Controller('orders')
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Post()
  @Idempotent()
  async place(@Body() body: OrderBody) {
    const { id, item, placedAt } = await this.orders.place(body);
    return { id, item, placed_at: placedAt.toISOString() };
  }

  @Post('secret')
  @Idempotent({ secret: true })
  async secret(@Body() body: OrderBody) {
    return this.orders.place(body);
  }
}

/** Writes down in a transaction of its own that a call failed, as the audit trail does. */
@Injectable()
class Complaints implements NestInterceptor {
  constructor(private readonly database: Database) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: unknown) => from(this.note(error))));
  }

  private async note(error: unknown): Promise<never> {
    await this.database.transaction(() =>
      this.database.query('INSERT INTO complaint (reason) VALUES ($1)', [String(error)]),
    );
    throw error;
  }
}

const migrations = [
  { name: '0001-purchase', up: 'CREATE TABLE purchase (id serial PRIMARY KEY, item text)' },
  { name: '0002-complaint', up: 'CREATE TABLE complaint (reason text)' },
];

@Module({
  imports: [KernelModule.forService(), PersistenceModule.forService({ entities: [], migrations })],
  controllers: [OrdersController],
  providers: [Orders, { provide: APP_INTERCEPTOR, useClass: Complaints }],
})
class OrdersModule {}

let database: ProvisionedDatabase;
let service: RunningService;
let packageDir: string;

beforeAll(async () => {
  database = await provisionedDatabase({ services: { orders: migrations } });
  packageDir = await mkdtemp(join(tmpdir(), 'gatehouse-orders-'));
  await writeFile(
    join(packageDir, 'package.json'),
    JSON.stringify({ version: '1.0.0', gatehouse: { name: 'orders' } }),
  );
  service = await createService(OrdersModule, {
    packageDir,
    env: {
      GATEHOUSE_PROFILE: 'embedded',
      GATEHOUSE_CREDENTIALS_DIR: database.credentialsDir('orders'),
      LOG_LEVEL: 'silent',
    },
  });
}, 60_000);
afterAll(async () => {
  await service.stop();
  await database.drop();
  await rm(packageDir, { recursive: true });
});
beforeEach(() => {
  runs.length = 0;
});

let keys = 0;
const newKey = () => `key-${++keys}`;

async function place(key: string | undefined, body: OrderBody, path = 'orders') {
  const response = await fetch(`${service.httpUrl}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { id: number; code?: string; placed_at?: string };
  return {
    status: response.status,
    replayed: response.headers.get('idempotency-replayed'),
    retryAfter: response.headers.get('retry-after'),
    answer,
  };
}

const rows = async (sql: string) => (await database.open('orders', { poolSize: 1 })).query(sql);

describe('Idempotency-Key', () => {
  it('makes one execution of 20 parallel requests, which all get its answer', async () => {
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => place(key, { item: 'parallel', wait: 0.2 })),
    );
    expect(runs).toEqual(['parallel']);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === 'true')).toHaveLength(19);
    expect(await rows(`SELECT count(*)::int AS n FROM purchase WHERE item = 'parallel'`)).toEqual([
      { n: 1 },
    ]);
  });

  it('waits for the first at most 2 s, then answers 409', async () => {
    const key = newKey();
    const first = place(key, { item: 'slow', wait: 3.5 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const began = performance.now();
    const second = await place(key, { item: 'slow', wait: 3.5 });
    expect(second).toMatchObject({ status: 409, answer: { code: 'IDEMPOTENCY_CONFLICT' } });
    expect(performance.now() - began).toBeGreaterThan(1_900);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect((await first).status).toBe(201);
    expect((await place(key, { item: 'slow', wait: 3.5 })).replayed).toBe('true');
  }, 20_000);

  it('refuses another body with 422, whatever the order of members', async () => {
    const key = newKey();
    await place(key, { item: 'a', wait: 0 });
    expect(await place(key, { item: 'b', wait: 0 })).toMatchObject({
      status: 422,
      answer: { code: 'IDEMPOTENCY_MISMATCH' },
    });
    expect((await place(key, { wait: 0, item: 'a' })).replayed).toBe('true');
  });

  it('lets the next run when the first rolled back', async () => {
    const key = newKey();
    failing.add('once');
    const both = await Promise.all([
      place(key, { item: 'once', wait: 0.2 }),
      place(key, { item: 'once', wait: 0.2 }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 500]);
    expect(runs).toEqual(['once', 'once']);
    expect(await rows(`SELECT count(*)::int AS n FROM purchase WHERE item = 'once'`)).toEqual([
      { n: 1 },
    ]);
  });

  it('is not used up by what is written down of a call that failed', async () => {
    const key = newKey();
    failing.add('lamp');
    const before = await rows('SELECT FROM complaint');
    expect((await place(key, { item: 'lamp' })).status).toBe(500);
    expect(await rows('SELECT FROM complaint')).toHaveLength(before.length + 1);
    const second = await place(key, { item: 'lamp' });
    expect([second.status, second.replayed]).toEqual([201, null]);
    expect(runs).toEqual(['lamp', 'lamp']);
  });

  it('is a key of its route alone', async () => {
    const key = newKey();
    await place(key, { item: 'a' });
    expect((await place(key, { item: 'a' }, 'orders/secret')).replayed).toBeNull();
    expect(runs).toEqual(['a', 'a']);
  });

  it('is the same key in quotes', async () => {
    const key = newKey();
    await place(key, { item: 'a' });
    expect((await place(`"${key}"`, { item: 'a' })).replayed).toBe('true');
  });

  it.each(['', 'x'.repeat(256), 'a b', 'a"b'])('is refused as %j', async (key) => {
    const response = await fetch(`${service.httpUrl}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: '{"item":"a"}',
    });
    expect(response.status).toBe(400);
    expect(runs).toEqual([]);
  });

  it('forgets a key that has expired', async () => {
    const key = newKey();
    await place(key, { item: 'a' });
    await rows(
      `UPDATE idempotency_keys SET expires_at = now() - interval '1 s' WHERE key = '${key}'`,
    );
    expect((await place(key, { item: 'b' })).status).toBe(201);
    expect(runs).toEqual(['a', 'b']);
  });

  it('is not needed', async () => {
    await place(undefined, { item: 'a' });
    await place(undefined, { item: 'a' });
    expect(runs).toEqual(['a', 'a']);
  });

  it('keeps an answer that holds a secret encrypted, and gives it again', async () => {
    const key = newKey();
    const first = await place(key, { item: 'hunter2-token' }, 'orders/secret');
    const second = await place(key, { item: 'hunter2-token' }, 'orders/secret');
    expect(second).toEqual({ ...first, replayed: 'true' });
    const kept = (await rows(
      `SELECT answer, k::text AS row FROM idempotency_keys k WHERE key = '${key}'`,
    )) as [{ answer: Buffer; row: string }];
    expect(kept[0].answer.includes('hunter2')).toBe(false);
    expect(kept[0].row).not.toContain('hunter2');
    const plain = newKey();
    await place(plain, { item: 'hunter2-token' });
    const [open] = (await rows(`SELECT answer FROM idempotency_keys WHERE key = '${plain}'`)) as [
      { answer: Buffer },
    ];
    expect(open.answer.includes('hunter2')).toBe(true);
  });
});
