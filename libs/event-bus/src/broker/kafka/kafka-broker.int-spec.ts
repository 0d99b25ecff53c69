import { Logger } from '@nestjs/common';
import { describeWithEngines, engineSet } from '@gatehouse/testing';

import { eventBrokerContract } from '../../testing/event-broker.contract.ts';
import { KafkaSockets } from '../../testing/kafka-sockets.ts';
import { KafkaBroker } from './kafka-broker.ts';

Logger.overrideLogger(false); // what is provoked here is not news

describeWithEngines(['kafka'], () => {
  eventBrokerContract('Kafka', async () => {
    const set = await engineSet(['kafka']);
    return {
      async open(service) {
        const sockets = new KafkaSockets();
        const broker = new KafkaBroker({
          brokers: (set.env.KAFKA_BROKERS ?? '').split(','),
          service,
          clientId: service,
          sessionMs: 6_000,
          pollMs: 300,
          waitMs: 30_000,
          retentionMs: 3_600_000,
          socketFactory: sockets.factory,
        });
        await broker.connect();
        return {
          broker,
          sever: () => {
            sockets.sever();
            return Promise.resolve();
          },
        };
      },
      close: () => set.end(),
    };
  });
});
