import { provisionedDatabase } from '@gatehouse/persistence/testing';
import { describeWithEngines, engineSet } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';

import { KafkaBroker } from './broker/kafka/kafka-broker.ts';
import { eventBusPlatformSql } from './broker/postgres/platform.migrations.ts';
import { eventBusMigrations } from './migrations/event-bus.migrations.ts';
import { effectsMigration } from './testing/bus/orders.ts';
import { eventBusContract } from './testing/event-bus.contract.ts';
import { QUICK_KAFKA, QUICK_SESSION_MS } from './testing/kafka-engine.ts';

Logger.overrideLogger(false); // what is provoked here is not news

describeWithEngines(['kafka'], () => {
  eventBusContract('Kafka', async () => {
    const [set, database] = await Promise.all([
      engineSet(['kafka'], { settings: QUICK_KAFKA }),
      provisionedDatabase({
        services: {
          alpha: eventBusMigrations,
          beta: [...eventBusMigrations, effectsMigration],
          gamma: null,
        },
        platformSql: eventBusPlatformSql,
      }),
    ]);
    return {
      database,
      env: () => ({ ...set.env, EVENT_SESSION_MS: String(QUICK_SESSION_MS) }),
      produce: async (service, records) => {
        const broker = new KafkaBroker({
          brokers: (set.env.KAFKA_BROKERS ?? '').split(','),
          service,
          clientId: 'test',
          sessionMs: QUICK_SESSION_MS,
          pollMs: 300,
          waitMs: 10_000,
          retentionMs: 3_600_000,
        });
        await broker.connect();
        await broker.produce(records);
        await broker.close();
      },
      close: async () => {
        await Promise.all([database.drop(), set.end()]);
      },
    };
  });
});
