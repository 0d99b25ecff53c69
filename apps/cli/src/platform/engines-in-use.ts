import { variableOf } from '@gatehouse/launcher';

/** One line of the summary: what serves a need of the platform, and where. */
export interface EngineInUse {
  need: string;
  by: string;
}

/**
 * Which engine serves what, as the environment chooses it; addresses without credentials.
 * @param database where PostgreSQL is
 */
export function enginesInUse(env: NodeJS.ProcessEnv, database: string): EngineInUse[] {
  const kafka = variableOf(env, 'KAFKA_BROKERS');
  const consul = variableOf(env, 'CONSUL_HTTP_ADDR');
  const redis = variableOf(env, 'REDIS_URL');
  return [
    { need: 'Database', by: `PostgreSQL at ${database}` },
    {
      need: 'Events',
      by: kafka ? `Kafka at ${kafka}` : 'the same PostgreSQL (KAFKA_BROKERS is not set)',
    },
    {
      need: 'Registry',
      by: consul
        ? `Consul at ${plainAddress(consul)}`
        : 'the same PostgreSQL (CONSUL_HTTP_ADDR is not set)',
    },
    {
      need: 'Cache, limits',
      by: redis
        ? `Redis at ${plainAddress(redis)}`
        : 'memory of each process (REDIS_URL is not set)',
    },
  ];
}

/** Whether any engine besides PostgreSQL is chosen. */
export function isMixed(env: NodeJS.ProcessEnv): boolean {
  return ['KAFKA_BROKERS', 'CONSUL_HTTP_ADDR', 'REDIS_URL'].some(
    (name) => variableOf(env, name) !== undefined,
  );
}

/** `host:port` and what follows, never credentials. */
export function plainAddress(address: string): string {
  if (!URL.canParse(address)) return address.replace(/^.*@/, '');
  const { host, pathname } = new URL(address);
  return host === '' ? address : host + (pathname === '/' ? '' : pathname);
}
