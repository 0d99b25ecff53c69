import { eventually } from '@gatehouse/testing';
import type { Database } from '../database/database.ts';
import { provisionedDatabase, type ProvisionedDatabase } from '../testing/index.ts';
import { type Changes, ChangeFeed } from './change-feed.ts';

let provisioned: ProvisionedDatabase;
let database: Database;
let feed: ChangeFeed;

beforeAll(async () => {
  provisioned = await provisionedDatabase({ services: { states: [] } });
  database = await provisioned.open('states', { poolSize: 12 });
}, 60_000);
afterAll(() => provisioned.drop());
beforeEach(async () => {
  await database.query('DELETE FROM change_feed');
  await database.query('UPDATE change_counter SET number = 0');
  feed = new ChangeFeed(database);
});

const set = (id: string, state: object) =>
  database.transaction(() => feed.append('session', id, state));

describe('the change feed', () => {
  it('numbers changes, and keeps of each item the latest state', async () => {
    await set('a', { n: 1 });
    await set('b', { n: 1 });
    await set('a', { n: 2 });
    expect(await feed.since(0)).toEqual([
      { kind: 'session', id: 'b', number: 2, state: { n: 1 } },
      { kind: 'session', id: 'a', number: 3, state: { n: 2 } },
    ]);
    expect(await feed.head()).toBe(3);
    expect(await feed.since(2)).toHaveLength(1);
  });

  it('takes the last of several states in one transaction', async () => {
    await database.transaction(async () => {
      await feed.append('session', 'a', { n: 1 });
      await feed.append('client', 'a', { n: 1 });
      await feed.append('session', 'a', { n: 2 });
    });
    expect((await feed.since(0)).map(({ kind, state }) => [kind, state])).toEqual([
      ['session', { n: 2 }],
      ['client', { n: 1 }],
    ]);
  });

  it('keeps nothing of a rolled-back transaction, and leaves no gap', async () => {
    const work = database.transaction(async () => {
      await feed.append('session', 'a', {});
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    await set('b', {});
    expect(await feed.since(0)).toEqual([expect.objectContaining({ id: 'b', number: 1 })]);
  });

  it('is for transactions only', async () => {
    await expect(feed.append('session', 'a', {})).rejects.toThrow('needs a transaction');
  });

  it('shows numbers in the order of commits to a follower of 8 writers, losing none', async () => {
    const stop = new AbortController();
    const seen = new Map<string, { number: number; n: number }>();
    let head = 0;
    let late = 0;
    const following = (async () => {
      for await (const step of feed.tail(0, { intervalMs: 1, limit: 50, signal: stop.signal })) {
        for (const change of step.changes) {
          if (change.number <= head) late++;
          seen.set(change.id, { number: change.number, n: change.state.n as number });
        }
        head = step.head;
      }
    })();
    const writer = async (writer: number) => {
      for (let n = 1; n <= 60; n++) {
        await database.transaction(async () => {
          await feed.append('session', `${writer}`, { n });
          await feed.append('shared', 'shared', { n });
          await database.query('SELECT pg_sleep($1)', [Math.random() / 500]);
        });
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => writer(index)));
    await eventually(() => head === 8 * 60 * 2);
    stop.abort();
    await following;
    expect(late).toBe(0);
    for (let index = 0; index < 8; index++) expect(seen.get(`${index}`)?.n).toBe(60);
    expect(seen.get('shared')?.number).toBe(
      (await feed.since(0)).find(({ id }) => id === 'shared')?.number,
    );
  }, 60_000);

  it('gives a follower an item in each interval though nothing happens', async () => {
    const items: Changes[] = [];
    for await (const item of feed.tail(0, { intervalMs: 10 })) {
      items.push(item);
      if (items.length === 3) break;
    }
    expect(items).toEqual(Array.from({ length: 3 }, () => ({ changes: [], head: 0 })));
  });

  it('asks the database once for followers of the same interval', async () => {
    const stop = new AbortController();
    let beats = 0;
    const followers = Array.from({ length: 5 }, async () => {
      for await (const _step of feed.tail(0, { intervalMs: 50, signal: stop.signal })) beats++;
    });
    await eventually(() => beats >= 5);
    let statements = 0;
    const original = database.query.bind(database);
    database.query = (sql: string) => (statements++, original(sql));
    beats = 0;
    await eventually(() => beats >= 50);
    stop.abort();
    await Promise.all(followers);
    Reflect.deleteProperty(database, 'query');
    expect(statements).toBeLessThan(30);
  });

  it('wakes a follower of this process at once', async () => {
    const stop = new AbortController();
    const tail = feed.tail(0, { intervalMs: 3_600_000, signal: stop.signal });
    await tail.next();
    const next = tail.next();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await set('a', {});
    expect(await next).toMatchObject({ value: { head: 1 } });
    const last = tail.next();
    stop.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it('catches up in steps that say how far they reach', async () => {
    for (const id of ['a', 'b', 'c']) await set(id, {});
    const tail = feed.tail(0, { limit: 2, intervalMs: 60_000 });
    expect(await tail.next()).toMatchObject({ value: { head: 2 } });
    expect(await tail.next()).toMatchObject({ value: { head: 3 } });
    await tail.return();
  });

  it('throws to its followers when the table cannot be read', async () => {
    const other = await provisioned.open('states', { poolSize: 1 });
    const tail = new ChangeFeed(other).tail(0, { intervalMs: 5 });
    await tail.next();
    await other.close();
    const cut = await provisioned.open('states', { poolSize: 1 });
    const broken = new ChangeFeed(cut).tail(0, { intervalMs: 5 });
    await broken.next();
    Object.defineProperty(cut, 'schema', { value: 'elsewhere' });
    await expect(broken.next()).rejects.toThrow('elsewhere');
    await tail.return();
  });

  it('forgets what has expired when asked to', async () => {
    const now = Date.now();
    await database.transaction(async () => {
      await feed.append('session', 'old', {}, new Date(now - 1_000));
      await feed.append('session', 'new', {}, new Date(now + 60_000));
      await feed.append('subject', 'kept', {});
    });
    expect(await feed.prune('session', new Date(now))).toBe(1);
    expect((await feed.since(0)).map(({ id }) => id)).toEqual(['new', 'kept']);
  });
});
