import kafkajs from 'kafkajs';

import { clientConfig } from '../broker/kafka/kafka-client.ts';

/** A process that says something to Kafka and ends; what Node warns of is on its stderr. MODE is `plain` or `ours`. */
const brokers = (process.env.BROKERS ?? '').split(',');
const config =
  process.env.MODE === 'plain' ? { brokers } : clientConfig({ brokers, clientId: 'test' });
const kafka = new kafkajs.Kafka({ ...config, logLevel: kafkajs.logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
await admin.listTopics();
await admin.disconnect();
