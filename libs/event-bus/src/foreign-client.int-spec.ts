import { randomUUID } from 'node:crypto';

import { newRequestContext, newTrace, requestContext } from '@gatehouse/kernel';
import { provisionedDatabase } from '@gatehouse/persistence/testing';
import { describeWithEngines, ENGINES_START_MS, engineSet, eventually } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';
import kafkajs from 'kafkajs';

import { eventBusPlatformSql } from './broker/postgres/platform.migrations.ts';
import { eventBusMigrations } from './migrations/event-bus.migrations.ts';
import { Bus } from './testing/bus/bus-engine.ts';
import { Orders } from './testing/bus/orders.ts';

Logger.overrideLogger(false);

interface Seen {
  key: string | undefined;
  value: Record<string, unknown>;
  headers: Record<string, string>;
}

describeWithEngines(['kafka'], () => {
  let bus: Bus;
  let brokers: string[];

  beforeAll(async () => {
    const [set, database] = await Promise.all([
      engineSet(['kafka']),
      provisionedDatabase({
        services: { alpha: eventBusMigrations, beta: eventBusMigrations },
        platformSql: eventBusPlatformSql,
      }),
    ]);
    brokers = (set.env.KAFKA_BROKERS ?? '').split(',');
    bus = new Bus({
      database,
      env: () => ({ ...set.env, EVENT_SESSION_MS: '6000' }),
      produce: () => Promise.reject(new Error('not used here')),
      close: async () => {
        await Promise.all([database.drop(), set.end()]);
      },
    });
  }, ENGINES_START_MS);
  afterAll(() => bus.close(), 60_000);

  it('a plain Kafka consumer, which knows nothing of the platform, reads an event and its metadata', async () => {
    const service = await bus.start('alpha');
    const key = randomUUID();
    const trace = newTrace(true);
    await requestContext.run(newRequestContext({ trace }), () =>
      service.get(Orders).place(key, [7]),
    );
    const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
    const consumer = client.consumer({ groupId: `foreign-${key}` });
    const seen: Seen[] = [];
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: ['alpha.order'], fromBeginning: true });
      await consumer.run({
        eachMessage: ({ message }) => {
          seen.push({
            key: message.key?.toString(),
            value: JSON.parse(message.value?.toString() ?? 'null') as Record<string, unknown>,
            headers: Object.fromEntries(
              Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
            ),
          });
          return Promise.resolve();
        },
      });
      await eventually(() => seen.length === 1, { timeoutMs: 30_000 });
    } finally {
      await consumer.disconnect();
    }
    const [event] = seen;
    expect(event).toMatchObject({
      key,
      value: {
        specversion: '1.0',
        source: 'alpha',
        type: 'alpha.order.placed.v1',
        partitionkey: key,
        sequence: 1,
        data: { order_id: key, n: 7 },
      },
      headers: {
        'content-type': 'application/cloudevents+json',
        ce_source: 'alpha',
        ce_type: 'alpha.order.placed.v1',
        ce_partitionkey: key,
        ce_sequence: '1',
      },
    });
    expect(event?.headers.ce_id).toBe(event?.value.id);
    expect(event?.headers.ce_time).toBe(event?.value.time);
    expect(event?.headers.traceparent).toBe(event?.value.traceparent);
    expect(event?.headers.traceparent).toContain(trace.traceId);
  });
});
