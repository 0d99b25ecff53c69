import { eventually } from '@gatehouse/testing';
import { provisionedDatabase } from '@gatehouse/persistence/testing';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { eventBusPlatformSql } from '../broker/postgres/platform.migrations.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { eventBusMigrations } from '../migrations/event-bus.migrations.ts';
import { Bus } from '../testing/bus/bus-engine.ts';
import { effectsMigration, Orders } from '../testing/bus/orders.ts';
import { Upkeep } from './upkeep.ts';

Logger.overrideLogger(false);

describe('upkeep', () => {
  let bus: Bus;

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

  interface Metric {
    get(): Promise<{ values: { labels: object; value: number }[] }>;
  }
  const valueOf = async (metric: Metric, labels: Record<string, string>) => {
    const { values } = await metric.get();
    return values.find((value) =>
      Object.entries(labels).every(
        ([label, wanted]) => Reflect.get(value.labels, label) === wanted,
      ),
    )?.value;
  };

  it('counts what was published, relayed, handled and parked, and how old the outbox is', async () => {
    const alpha = await bus.start('alpha');
    const beta = await bus.start(
      'beta',
      {
        afterEffect: (event) => {
          if (event.data.n === 13) throw new Error('unlucky');
        },
      },
      { EVENT_MAX_ATTEMPTS: '2', EVENT_RETRY_BASE_MS: '1' },
    );
    const metrics = alpha.get(EventBusMetrics); // of the process, and so of both
    await alpha.get(Orders).place('a', [1, 2, 13, 14]);
    await bus.settled('a', [1, 2]);
    await eventually(
      async () => {
        await beta.get(Upkeep).measure();
        return (await valueOf(metrics.deadLetters, { consumer: 'record' })) === 1;
      },
      { timeoutMs: 10_000, intervalMs: 20 },
    );
    expect(await valueOf(metrics.parkedKeys, { consumer: 'record' })).toBe(1);
    expect(await valueOf(metrics.published, { type: 'alpha.order.placed.v1' })).toBe(4);
    expect(await valueOf(metrics.relayed, { channel: 'events' })).toBe(4);
    const outcome = (name: string) => valueOf(metrics.taken, { consumer: 'record', outcome: name });
    expect(await outcome('handled')).toBe(2);
    expect(await outcome('held')).toBe(2);
    expect(await valueOf(metrics.failed, { consumer: 'record' })).toBe(2);
    expect(await valueOf(metrics.retried, { consumer: 'record' })).toBe(1);
    expect(await valueOf(metrics.lag, { consumer: 'record', topic: 'alpha.order' })).toBe(0);

    await bus.sql(
      `INSERT INTO alpha.outbox (channel, partition, key, payload, created_at)
       SELECT 'events', 9, 'a', '{}', now() - interval '1 minute' FROM generate_series(1, 3)`,
    );
    await alpha.get(Upkeep).measure();
    expect(await valueOf(metrics.outboxDepth, { channel: 'events' })).toBe(3);
    await bus.sql(`DELETE FROM alpha.outbox WHERE partition = 9`);
    await bus.stopAll();
  }, 60_000);

  it('forgets what is older than the log keeps, and nothing that waits', async () => {
    const beta = await bus.start(
      'beta',
      {},
      { EVENT_RETENTION_HOURS: '1', EVENT_INBOX_RETENTION_HOURS: '2' },
    );
    await bus.sql(`UPDATE beta.inbox SET handled_at = now() - interval '3 hours' WHERE event_id IN (
      SELECT event_id FROM beta.inbox ORDER BY event_id LIMIT 1)`);
    await bus.sql(`INSERT INTO beta.consumer_keys (consumer, topic, key, touched_at)
      VALUES ('record', 'alpha.order', 'old', now() - interval '3 hours')`);
    await bus.sql(`UPDATE beta.consumer_keys SET touched_at = now() - interval '3 hours'`);
    const before = await bus.sql('SELECT FROM beta.inbox');
    await beta.get(Upkeep).prune();
    expect(await bus.sql('SELECT FROM beta.inbox')).toHaveLength(before.length - 1);
    expect(await bus.sql<{ key: string }>('SELECT key FROM beta.consumer_keys')).toEqual([
      { key: 'a' },
    ]);
    expect(await bus.sql('SELECT FROM beta.held_events')).toHaveLength(2);
    await bus.stopAll();
  }, 60_000);

  it('refuses an inbox that forgets before the log does', async () => {
    await expect(
      bus.start('beta', {}, { EVENT_RETENTION_HOURS: '5', EVENT_INBOX_RETENTION_HOURS: '5' }),
    ).rejects.toThrow('EVENT_INBOX_RETENTION_HOURS');
  });
});
