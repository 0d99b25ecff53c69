import { describeWithEngines } from '@gatehouse/testing';
import { Logger } from '@nestjs/common';

import { eventBrokerContract } from '../../testing/event-broker.contract.ts';
import { KafkaEngine } from '../../testing/kafka-engine.ts';
import { KafkaSockets } from '../../testing/kafka-sockets.ts';

Logger.overrideLogger(false); // what is provoked here is not news

describeWithEngines(['kafka'], () => {
  eventBrokerContract('Kafka', async () => {
    const kafka = await KafkaEngine.start();
    return {
      async open(service) {
        const sockets = new KafkaSockets();
        const broker = await kafka.open(service, { socketFactory: sockets.factory });
        return {
          broker,
          sever: () => {
            sockets.sever();
            return Promise.resolve();
          },
        };
      },
      close: () => kafka.end(),
    };
  });
});
