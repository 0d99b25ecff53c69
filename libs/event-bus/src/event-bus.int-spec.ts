import { provisionedDatabase } from '@gatehouse/persistence/testing';
import { Logger } from '@nestjs/common';

import { Listener } from './broker/postgres/listener.ts';
import { eventBusPlatformSql } from './broker/postgres/platform.migrations.ts';
import { PostgresBroker } from './broker/postgres/postgres-broker.ts';
import { eventBusMigrations } from './migrations/event-bus.migrations.ts';
import { effectsMigration } from './testing/bus/orders.ts';
import { eventBusContract } from './testing/event-bus.contract.ts';

Logger.overrideLogger(false); // what is provoked here is not news

eventBusContract('PostgreSQL', async () => {
  const database = await provisionedDatabase({
    services: {
      alpha: eventBusMigrations,
      beta: [...eventBusMigrations, effectsMigration],
      gamma: null,
    },
    platformSql: eventBusPlatformSql,
  });
  return {
    database,
    env: () => ({}),
    produce: async (service, records) => {
      const address = { url: database.urlOf(service) };
      const broker = new PostgresBroker(
        { address, applicationName: 'test', sessionMs: 1_000, pollMs: 1_000 },
        new Listener(address, 'test'),
      );
      await broker.produce(records);
      await broker.close();
    },
    close: () => database.drop(),
  };
});
