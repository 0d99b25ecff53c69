import { provisionedDatabase } from '@gatehouse/persistence/testing';
import { eventually } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { eventBusPlatformSql } from '../broker/postgres/platform.migrations.ts';
import { DeadLetterBatch } from '../dead-letters/dead-letter-batch.ts';
import { DeadLetters } from '../dead-letters/dead-letters.ts';
import { eventBusMigrations } from '../migrations/event-bus.migrations.ts';
import { Bus, upTo } from '../testing/bus/bus-engine.ts';
import { effectsMigration, type OrderEvent, Orders } from '../testing/bus/orders.ts';
import type { TestService } from '../testing/bus/test-service.ts';
import { EventOperations } from './event-operations.ts';

Logger.overrideLogger(false); // what is provoked here is not news

describe('what operators see and do', () => {
  let bus: Bus;
  let run = 0;
  let key: (name: string) => string;
  /** What the handler of beta refuses, from one moment to the next. */
  let refused: (event: OrderEvent) => boolean;

  beforeAll(async () => {
    const database = await provisionedDatabase({
      services: { alpha: eventBusMigrations, beta: [...eventBusMigrations, effectsMigration] },
      platformSql: eventBusPlatformSql,
    });
    bus = new Bus({
      database,
      env: () => ({}),
      produce: () => Promise.reject(new Error('not used')),
      close: () => database.drop(),
    });
  }, 60_000);
  afterAll(() => bus.close(), 60_000);
  afterEach(async () => {
    await bus.stopAll();
    await bus.sql('DELETE FROM beta.held_events; DELETE FROM beta.consumer_keys');
  }, 60_000);

  const start = async (): Promise<{ alpha: TestService; beta: TestService; orders: Orders }> => {
    run += 1;
    key = (name) => `${run}-${name}`;
    refused = (event) => event.data.n === 13;
    const alpha = await bus.start('alpha');
    const afterEffect = (event: OrderEvent) => {
      if (refused(event)) throw new Error('refused');
    };
    const beta = await bus.start('beta', { afterEffect }, { EVENT_MAX_ATTEMPTS: '1' });
    return { alpha, beta, orders: alpha.get(Orders) };
  };
  const lettersOf = (beta: TestService, count: number) =>
    eventually(
      async () => {
        const found = await beta.get(DeadLetters).list({ limit: 200 });
        expect(found).toHaveLength(count);
        return found;
      },
      { timeoutMs: 15_000 },
    );
  const consumer = async (of: TestService, name: string) =>
    (await of.get(EventOperations).consumers()).find((one) => one.name === name);

  it('shows a service its own topics, what lies in them and how long', async () => {
    const { alpha, beta, orders } = await start();
    const records = async () => {
      const [topic] = await alpha.get(EventOperations).topics();
      return topic?.partitions.reduce((sum, { first, next }) => sum + next - first, 0n) ?? 0n;
    };
    const before = await records();
    await orders.place(key('a'), [1, 2, 3]);
    await eventually(async () => (await records()) === before + 3n, { timeoutMs: 10_000 });
    const topics = await alpha.get(EventOperations).topics();
    expect(topics).toMatchObject([{ topic: 'alpha.order', retentionMs: 7 * 24 * 3_600_000 }]);
    expect(topics[0]?.partitions).toHaveLength(4);
    expect(await beta.get(EventOperations).topics()).toEqual([]);
  });

  it('shows consumers with the lag of the whole group, its members and what waits', async () => {
    const { beta, orders } = await start();
    await orders.place(key('bad'), [13, 14, 15]);
    await lettersOf(beta, 1);
    await bus.start('beta');
    await eventually(
      async () => {
        const record = await consumer(beta, 'record');
        expect(record).toMatchObject({
          mode: 'group',
          topics: ['alpha.order'],
          types: ['alpha.order.placed.v1'],
          deadLetters: 1,
          parkedKeys: 1,
        });
        expect(record?.members).toHaveLength(2);
        expect(record?.positions).toHaveLength(4);
        expect(new Set(record?.positions.map(({ owner }) => owner))).toEqual(
          new Set(record?.members),
        );
        expect(record?.positions.every(({ lag }) => lag === 0n)).toBe(true);
      },
      { timeoutMs: 15_000 },
    );
    const watch = await consumer(beta, 'watch');
    expect(watch).toMatchObject({ mode: 'broadcast', members: [], positions: [], deadLetters: 0 });
  });

  it('shows what a consumer left behind that the service has no more', async () => {
    const { beta, orders } = await start();
    await orders.place(key('bad'), [13]);
    const [letter] = await lettersOf(beta, 1);
    await bus.sql(`UPDATE beta.held_events SET consumer = 'retired'`);
    await bus.sql(`UPDATE beta.consumer_keys SET consumer = 'retired' WHERE held > 0`);
    const retired = await consumer(beta, 'retired');
    expect(retired).toMatchObject({ topics: [], deadLetters: 1, parkedKeys: 1 });
    expect(retired?.mode).toBeUndefined();
    const batch = beta.get(DeadLetterBatch);
    const ids = [letter?.id ?? ''];
    expect((await batch.replay({ ids }, { withinMs: 5_000 })).items[0]?.outcome).toBe('failed');
    expect((await batch.discard({ ids }, { withinMs: 5_000 })).items[0]?.outcome).toBe('discarded');
    expect(await consumer(beta, 'retired')).toBeUndefined();
  });

  it('shows parked keys, the longest parked first, page after page', async () => {
    const { beta, orders } = await start();
    for (const name of ['a', 'b', 'c']) {
      await orders.place(key(name), [13, 14]);
      await orders.place(key(name), [15]);
    }
    const letters = await lettersOf(beta, 3);
    const operations = beta.get(EventOperations);
    const parked = await eventually(
      async () => {
        const found = await operations.parkedKeys();
        expect(found.map(({ waiting }) => waiting)).toEqual([2, 2, 2]);
        return found;
      },
      { timeoutMs: 10_000 },
    );
    for (const one of parked) {
      const letter = letters.find(({ id }) => id === one.deadLetterId);
      expect(one).toMatchObject({
        consumer: 'record',
        topic: 'alpha.order',
        key: letter?.key,
        state: 'dead',
        attempts: 1,
        dueAt: null,
      });
    }
    const first = await operations.parkedKeys({ limit: 2 });
    const rest = await operations.parkedKeys({ limit: 2, after: first[1]?.place ?? '' });
    expect([...first, ...rest]).toEqual(parked);
    expect(await operations.parkedKeys({ consumer: 'other' })).toEqual([]);
  });

  it('shows what waits in the outbox, by channel', async () => {
    const { alpha } = await start();
    await bus.sql(
      `INSERT INTO alpha.outbox (channel, partition, key, payload, created_at)
       SELECT 'events', 9, 'a', '{}', now() - interval '1 minute' FROM generate_series(1, 3)`,
    );
    expect((await alpha.get(EventOperations).outbox())[0]).toMatchObject({
      channel: 'events',
      depth: 3,
      deadLetters: 0,
      parkedKeys: 0,
    });
    await bus.sql(`DELETE FROM alpha.outbox WHERE partition = 9`);
  });

  describe('many dead letters', () => {
    const within = { withinMs: 10_000 };
    const effectsOf = (name: string) => bus.numbers(key(name));

    it('are found by consumer, type, reason and time', async () => {
      const { beta, orders } = await start();
      await orders.place(key('a'), [13]);
      const [letter] = await lettersOf(beta, 1);
      const failed = letter?.failed_at ?? new Date(0);
      const later = new Date(failed.getTime() + 60_000);
      const list = (filter: object) => beta.get(DeadLetters).list(filter);
      for (const fits of [
        { consumer: 'record' },
        { type: 'alpha.order.placed.v1' },
        { reason: 'INTERNAL_ERROR' },
        { failedFrom: failed },
        { failedBefore: later },
      ]) {
        expect(await list(fits)).toHaveLength(1);
      }
      for (const fitsNot of [
        { consumer: 'other' },
        { type: 'alpha.order.paid.v1' },
        { reason: 'OTHER' },
        { failedFrom: later },
        { failedBefore: failed },
        { consumer: 'record', reason: 'OTHER' },
      ]) {
        expect(await list(fitsNot)).toEqual([]);
      }
    });

    it('are replayed by their ids: each says what became of it', async () => {
      const { beta, orders } = await start();
      for (const name of ['a', 'b', 'c']) await orders.place(key(name), [13, 14]);
      const letters = await lettersOf(beta, 3);
      refused = (event) => event.partitionkey === key('b');
      const ids = letters.map(({ id }) => id);
      const missing = '0199c0de-0000-7000-8000-000000000000';
      const { items } = await beta
        .get(DeadLetterBatch)
        .replay({ ids: [...ids, missing, ...ids] }, within);
      const outcomeOf = (name: string) =>
        items.find(({ id }) => id === letters.find((one) => one.key === key(name))?.id)?.outcome;
      expect(items).toHaveLength(4);
      expect([outcomeOf('a'), outcomeOf('b'), outcomeOf('c')]).toEqual([
        'handled',
        'failed',
        'handled',
      ]);
      expect(items.find(({ id }) => id === missing)?.outcome).toBe('gone');
      await bus.settled(key('a'), [13, 14]);
      await bus.settled(key('c'), [13, 14]);
      expect(await effectsOf('b')).toEqual([]);
    });

    it('are replayed by a filter, so many a call, and no one twice', async () => {
      const { beta, orders } = await start();
      for (const n of upTo(5)) await orders.place(key(`k${n}`), [13]);
      await lettersOf(beta, 5);
      const batch = beta.get(DeadLetterBatch);
      const outcomes: string[] = [];
      let after: string | undefined;
      let calls = 0;
      do {
        const result = await batch.replay(
          { filter: { consumer: 'record' }, limit: 2, ...(after !== undefined && { after }) },
          within,
        );
        outcomes.push(...result.items.map(({ outcome }) => outcome));
        after = result.after;
        calls += 1;
      } while (after !== undefined);
      expect(calls).toBe(3);
      // Still refused, each was tried once; a filter that fits them still does not go round and round.
      expect(outcomes).toEqual(Array(5).fill('failed'));
      refused = () => false;
      const all = await batch.replay({ filter: {}, limit: 100 }, within);
      expect(all.items.map(({ outcome }) => outcome)).toEqual(Array(5).fill('handled'));
      for (const n of upTo(5)) expect(await effectsOf(`k${n}`)).toEqual([13]);
    });

    it('are discarded, each in a transaction of its own, and begun no more when time is up', async () => {
      const { beta, orders } = await start();
      for (const n of upTo(3)) await orders.place(key(`k${n}`), [13, 14]);
      const ids = (await lettersOf(beta, 3)).map(({ id }) => id);
      const batch = beta.get(DeadLetterBatch);
      const late = await batch.discard({ ids }, { withinMs: -1 });
      expect(late.items.map(({ outcome }) => outcome)).toEqual(Array(3).fill('untouched'));
      const { items } = await batch.discard({ ids }, within);
      expect(items.map(({ outcome }) => outcome)).toEqual(Array(3).fill('discarded'));
      for (const n of upTo(3)) await bus.settled(key(`k${n}`), [14]);
    });
  });
});
