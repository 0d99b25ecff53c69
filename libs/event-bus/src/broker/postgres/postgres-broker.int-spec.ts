import { Logger } from '@nestjs/common';

import { provisionedDatabase } from '@gatehouse/persistence/testing';

import { eventBrokerContract } from '../../testing/event-broker.contract.ts';
import { TcpCut } from '../../testing/tcp-cut.ts';
import { Listener } from './listener.ts';
import { eventBusPlatformSql } from './platform.migrations.ts';
import { PostgresBroker } from './postgres-broker.ts';

Logger.overrideLogger(false); // what is provoked here is not news

eventBrokerContract('PostgreSQL', async () => {
  const database = await provisionedDatabase({
    services: { alpha: null, beta: null },
    platformSql: eventBusPlatformSql,
  });
  const cuts: TcpCut[] = [];
  return {
    async open(service) {
      const url = new URL(database.urlOf(service));
      const cut = new TcpCut({ host: url.hostname, port: Number(url.port) });
      cuts.push(cut);
      url.hostname = '127.0.0.1';
      url.port = String(await cut.open());
      const listener = new Listener({ url: url.href }, `${service} listener`);
      const broker = new PostgresBroker(
        { address: { url: url.href }, applicationName: service, sessionMs: 1_500, pollMs: 300 },
        listener,
      );
      await broker.connect();
      const close = broker.close.bind(broker);
      broker.close = async () => {
        await close();
        await listener.close();
      };
      return { broker, sever: () => cut.cut() };
    },
    async close() {
      await Promise.all(cuts.map((cut) => cut.cut()));
      await database.drop();
    },
  };
});
