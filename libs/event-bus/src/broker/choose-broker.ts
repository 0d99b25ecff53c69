import { EngineConfig, followVariable, Health, ServiceInfo } from '@gatehouse/kernel';
import { followedAddress } from '@gatehouse/persistence';
import type { FactoryProvider } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventLogConfig } from '../config/event-log.config.ts';
import { KafkaConfig } from '../config/kafka.config.ts';
import { EventBroker } from './event-broker.ts';
import { KafkaBroker, type KafkaBrokerOptions } from './kafka/kafka-broker.ts';
import type { KafkaConnection } from './kafka/kafka-client.ts';
import { Listener } from './postgres/listener.ts';
import { PostgresBroker } from './postgres/postgres-broker.ts';

const HOUR_MS = 3_600_000;

/** Kafka where KAFKA_BROKERS says so, else the log in PostgreSQL. */
export const chosenBroker: FactoryProvider<EventBroker> = {
  provide: EventBroker,
  inject: [EventBusConfig, KafkaConfig, EngineConfig, ServiceInfo, Listener, Health],
  useFactory: (
    config: EventBusConfig,
    kafka: KafkaConfig,
    engine: EngineConfig,
    service: ServiceInfo,
    listener: Listener | undefined,
    health: Health,
  ) => {
    const connection = kafkaConnection(kafka, service.instanceId);
    if (connection) {
      const options = kafkaOptions(connection, config, kafka, engine, service.name);
      const broker = new KafkaBroker(options);
      health.addDependency('kafka', () => broker.check());
      return broker;
    }
    if (!listener) throw new Error('the log in PostgreSQL needs a listener');
    return new PostgresBroker(
      {
        address: followedAddress(new EventLogConfig()),
        applicationName: `${service.name} event bus`,
        clientId: service.instanceId,
        sessionMs: config.EVENT_SESSION_MS,
        pollMs: config.EVENT_POLL_MS,
      },
      listener,
    );
  },
};

/** Hears PostgreSQL: of new records where that has the log, and of committed rows of the outbox. */
export function openListener(service: ServiceInfo): Listener {
  return new Listener(followedAddress(new EventLogConfig()), `${service.name} listener`);
}

/** How to reach Kafka; undefined where the bus does not use it. */
export function kafkaConnection(
  config: KafkaConfig,
  clientId: string,
): KafkaConnection | undefined {
  if (!config.KAFKA_BROKERS) return undefined;
  const password = followVariable('KAFKA_PASSWORD', config.KAFKA_PASSWORD ?? '');
  return {
    brokers: config.KAFKA_BROKERS,
    clientId,
    ...(config.KAFKA_TLS === 'on' && {
      tls: {
        ...(config.KAFKA_TLS_CA !== undefined && { ca: config.KAFKA_TLS_CA }),
        ...(config.KAFKA_TLS_CERT !== undefined && { cert: config.KAFKA_TLS_CERT }),
        ...(config.KAFKA_TLS_KEY !== undefined && { key: config.KAFKA_TLS_KEY }),
      },
    }),
    ...(config.KAFKA_SASL_MECHANISM !== undefined && {
      sasl: {
        mechanism: config.KAFKA_SASL_MECHANISM,
        username: config.KAFKA_USERNAME ?? '',
        // kafkajs reads it whenever it connects.
        get password() {
          return password();
        },
      },
    }),
  };
}

function kafkaOptions(
  connection: KafkaConnection,
  config: EventBusConfig,
  kafka: KafkaConfig,
  engine: EngineConfig,
  service: string,
): KafkaBrokerOptions {
  return {
    ...connection,
    service,
    sessionMs: config.EVENT_SESSION_MS,
    pollMs: config.EVENT_POLL_MS,
    waitMs: engine.ENGINE_WAIT_SECONDS * 1_000,
    retentionMs: config.EVENT_RETENTION_HOURS * HOUR_MS,
    ...(kafka.KAFKA_REPLICATION_FACTOR !== undefined && {
      replicationFactor: kafka.KAFKA_REPLICATION_FACTOR,
    }),
  };
}
