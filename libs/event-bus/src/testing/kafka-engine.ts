import { engineSet, type EngineSet, type EngineSetOptions } from '@gatehouse/testing';
import kafkajs, { type KafkaConfig } from 'kafkajs';

import { KafkaBroker, type KafkaBrokerOptions } from '../broker/kafka/kafka-broker.ts';
import { quietRequestQueue } from '../broker/kafka/request-queue.ts';

/** A session as short as a broker takes (`group.min.session.timeout.ms`). */
export const SHORTEST_SESSION_MS = 6_000;

/** Kafka of a test's own, and brokers (the port) on it. */
export class KafkaEngine {
  private readonly opened = new Set<KafkaBroker>();

  static async start(options?: EngineSetOptions): Promise<KafkaEngine> {
    return new KafkaEngine(await engineSet(['kafka'], options));
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
      sessionMs: SHORTEST_SESSION_MS,
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
