import { ConfigError, type ConfigProblem, configOf } from '@gatehouse/kernel';
import { z } from 'zod';

const ADDRESS = /^(\[[0-9a-fA-F:]+\]|[^\s:,/@]+):\d{1,5}$/;
const pem = z.string().regex(/-----BEGIN /, 'is not PEM');

/**
 * How the bus reaches Kafka. `KAFKA_BROKERS` chooses it; without it events go through PostgreSQL and the rest says nothing.
 * Each value may come from a file (`KAFKA_TLS_CA_FILE`, `KAFKA_PASSWORD_FILE`).
 */
export class KafkaConfig extends configOf({
  /** Brokers to ask first, separated by commas; they name the others. */
  KAFKA_BROKERS: z
    .string()
    .transform((list) => list.split(',').map((broker) => broker.trim()))
    .pipe(
      z.array(z.string().regex(ADDRESS, 'is not a list of host:port, separated by commas')).min(1),
    )
    .optional()
    .meta({ example: 'kafka-1:9092,kafka-2:9092' }),
  /** Whether the brokers are spoken to over TLS. */
  KAFKA_TLS: z.enum(['on', 'off']).default('off').meta({ example: 'on' }),
  /** PEM of who signed the brokers' certificates, where no public authority did. */
  KAFKA_TLS_CA: pem.optional(),
  /** PEM of this client's own certificate, and its key, where the brokers ask for one. */
  KAFKA_TLS_CERT: pem.optional(),
  /** The key of that certificate. */
  KAFKA_TLS_KEY: pem.optional(),
  /** How this process says who it is, with the two below. */
  KAFKA_SASL_MECHANISM: z
    .enum(['scram-sha-256', 'scram-sha-512', 'plain'])
    .optional()
    .meta({ example: 'scram-sha-512' }),
  /** The service's own principal; its name is the service's. */
  KAFKA_USERNAME: z.string().min(1).optional().meta({ example: 'orders' }),
  /** Its password. */
  KAFKA_PASSWORD: z.string().min(1).optional(),
  /** Copies of each record, of topics made from now on. Default: the brokers' own. */
  KAFKA_REPLICATION_FACTOR: z.coerce
    .number()
    .int()
    .min(1)
    .max(32)
    .optional()
    .meta({ example: '3' }),
}) {
  constructor() {
    super();
    const problems = this.contradictions();
    if (problems.length > 0) throw new ConfigError(problems);
  }

  private contradictions(): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    const together = (names: readonly (keyof KafkaConfig)[], why: string) => {
      if (names.every((name) => this[name] !== undefined)) return;
      if (names.every((name) => this[name] === undefined)) return;
      for (const variable of names) {
        if (this[variable] === undefined) problems.push({ variable, problem: why });
      }
    };
    together(
      ['KAFKA_SASL_MECHANISM', 'KAFKA_USERNAME', 'KAFKA_PASSWORD'],
      'is required where one of KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD is set',
    );
    together(
      ['KAFKA_TLS_CERT', 'KAFKA_TLS_KEY'],
      'is required where the other one of KAFKA_TLS_CERT and KAFKA_TLS_KEY is set',
    );
    if (this.KAFKA_TLS === 'off') {
      for (const variable of ['KAFKA_TLS_CA', 'KAFKA_TLS_CERT'] as const) {
        if (this[variable] === undefined) continue;
        problems.push({ variable, problem: 'has no effect without KAFKA_TLS=on' });
      }
    }
    return problems;
  }
}
