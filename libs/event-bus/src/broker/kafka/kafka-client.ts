import type { ISocketFactory, KafkaConfig as ClientConfig, RetryOptions } from 'kafkajs';
import kafkajs from 'kafkajs';

import { kafkaLogs } from './kafka-logs.ts';
import { quietRequestQueue } from './request-queue.ts';

export interface KafkaConnection {
  brokers: readonly string[];
  /** What the brokers call this process in their logs and in member ids. */
  clientId: string;
  tls?: { ca?: string; cert?: string; key?: string };
  sasl?: {
    mechanism: 'scram-sha-256' | 'scram-sha-512' | 'plain';
    username: string;
    password: string;
  };
  /** How sockets are opened; kafkajs' own way unless given. */
  socketFactory?: ISocketFactory;
}

const CONNECT_MS = 3_000;
/** A broker that is stopped, not gone, is noticed after so long. */
const REQUEST_MS = 10_000;

/** A broker that dies is replaced by another leader within seconds: these tries, 10 s in all, outlast that. */
export const OUTLAST_A_BROKER: RetryOptions = {
  initialRetryTime: 100,
  factor: 0.2,
  multiplier: 1.6,
  maxRetryTime: 1_500,
  retries: 10,
};

export const NO_RETRY: RetryOptions = { ...OUTLAST_A_BROKER, retries: 0 };

/** Options for `Kafka` of kafkajs, wherever one is made. */
export function clientConfig(
  connection: KafkaConnection,
  retry: RetryOptions = OUTLAST_A_BROKER,
): ClientConfig {
  quietRequestQueue();
  const { brokers, clientId, tls, sasl, socketFactory } = connection;
  return {
    brokers: [...brokers],
    clientId,
    ...(tls && { ssl: { ...tls } }),
    ...(sasl && { sasl: sasl as NonNullable<ClientConfig['sasl']> }),
    ...(socketFactory && { socketFactory }),
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    retry,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: kafkaLogs(),
  };
}
