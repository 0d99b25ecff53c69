import { fileURLToPath } from 'node:url';

import { engineSet, type EngineSet, type EngineSetOptions } from '@gatehouse/testing';
import kafkajs, { type KafkaConfig } from 'kafkajs';

import { KafkaBroker, type KafkaBrokerOptions } from '../broker/kafka/kafka-broker.ts';
import { quietRequestQueue } from '../broker/kafka/request-queue.ts';

/** What makes brokers quick to notice that a member is gone; they take sessions from a second on. */
export const QUICK_KAFKA = {
  KAFKA_CONF_EXTRA: fileURLToPath(new URL('./quick.properties', import.meta.url)),
};
export const QUICK_SESSION_MS = 3_000;

/** Kafka of a test's own, and brokers (the port) on it. */
export class KafkaEngine {
  private readonly opened = new Set<KafkaBroker>();

  static async start(options: EngineSetOptions = {}): Promise<KafkaEngine> {
    return new KafkaEngine(await engineSet(['kafka'], { settings: QUICK_KAFKA, ...options }));
  }

  private constructor(readonly set: EngineSet) {}

  get brokers(): string[] {
    return (this.set.env.KAFKA_BROKERS ?? '').split(',');
  }

  async open(service: string, options: Partial<KafkaBrokerOptions> = {}): Promise<KafkaBroker> {
    const broker = new KafkaBroker({
      brokers: this.brokers,
      service,
      clientId: service,
      sessionMs: QUICK_SESSION_MS,
      pollMs: 300,
      waitMs: 30_000,
      retentionMs: 3_600_000,
      ...options,
    });
    this.opened.add(broker);
    await broker.connect();
    return broker;
  }

  /** kafkajs as anybody would use it: a client that is not ours. */
  plain(options: Partial<KafkaConfig> = {}): kafkajs.Kafka {
    quietRequestQueue();
    return new kafkajs.Kafka({
      brokers: this.brokers,
      clientId: 'somebody',
      logLevel: kafkajs.logLevel.NOTHING,
      ...options,
    });
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.opened].map((broker) => broker.close().catch(() => undefined)));
    this.opened.clear();
  }

  async end(): Promise<void> {
    await this.closeAll();
    await this.set.end();
  }
}
