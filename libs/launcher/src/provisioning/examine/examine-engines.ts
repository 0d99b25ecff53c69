import { awaitPostgres, describePostgres, postgresConnection } from '@gatehouse/persistence';
import { addressOf } from '@gatehouse/cache/redis';
import { consulOptionsOf } from '@gatehouse/discovery';
import pg from 'pg';
import { openConsul } from '../consul/provision-consul.ts';
import { openKafka } from '../kafka/provision-kafka.ts';
import { enginesOfEnvironment } from '../provision.config.ts';
import { openRedis } from '../redis/provision-redis.ts';

export interface EngineFinding {
  /** `Kafka at 127.0.0.1:9092`, without credentials. */
  what: string;
  /** Why it cannot be used as the environment says, with the variable to look at. */
  problem?: string;
}

/**
 * Connects once to each engine that the environment names, with the administrator's credentials that are in it, and changes
 * nothing.
 * @throws ConfigError where the environment itself is wrong
 */
export async function examineEngines(): Promise<EngineFinding[]> {
  const { adminUrl, tlsCa, kafka, consul, redis } = enginesOfEnvironment();
  const looks: [string, () => Promise<{ close(): unknown }>][] = [
    [`PostgreSQL at ${describePostgres(adminUrl)}`, () => openPostgres(adminUrl, tlsCa)],
  ];
  if (kafka?.KAFKA_BROKERS) {
    looks.push([`Kafka at ${kafka.KAFKA_BROKERS.join(',')}`, () => openKafka(kafka, 0)]);
  }
  if (consul) {
    looks.push([`Consul at ${consulOptionsOf(consul).address}`, () => openConsul(consul, 0)]);
  }
  if (redis) looks.push([`Redis at ${addressOf(redis)}`, () => openRedis(redis, 0)]);
  return Promise.all(
    looks.map(async ([what, open]): Promise<EngineFinding> => {
      try {
        await (await open()).close();
        return { what };
      } catch (error) {
        return { what, problem: (error as Error).message };
      }
    }),
  );
}

async function openPostgres(url: string, tlsCa?: string): Promise<{ close(): Promise<void> }> {
  return awaitPostgres(
    async () => {
      const client = new pg.Client({ ...postgresConnection({ url, tlsCa }), ...IMPATIENT });
      client.on('error', () => undefined);
      await client.connect();
      return { close: () => client.end() };
    },
    { url },
  );
}

const IMPATIENT = { connectionTimeoutMillis: 5_000 };
