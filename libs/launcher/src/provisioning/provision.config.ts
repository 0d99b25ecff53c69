import { configOf, EngineConfig } from '@gatehouse/kernel';
import { RedisConfig, redisSettings } from '@gatehouse/cache/redis';
import { ConsulConfig } from '@gatehouse/discovery';
import { KafkaConfig } from '@gatehouse/event-bus';
import { databaseTlsCa, databaseUrl } from '@gatehouse/persistence';
import { z } from 'zod';
import type { ProvisionPlatformOptions } from './provision-platform.ts';

/** The provisioner's own connection: a superuser's. */
class ProvisionConfig extends configOf({
  DATABASE_URL: databaseUrl,
  DATABASE_TLS_CA: databaseTlsCa,
}) {}

/** Which engines are in use besides PostgreSQL. */
class EngineAddresses extends configOf({ CONSUL_HTTP_ADDR: z.string().optional() }) {}

/**
 * What the environment says: the engines whose address is in it, with the credentials of an administrator.
 * @throws ConfigError naming each wrong variable
 */
export function enginesOfEnvironment(): Pick<
  ProvisionPlatformOptions,
  'adminUrl' | 'tlsCa' | 'kafka' | 'consul' | 'redis' | 'withinMs'
> {
  const { DATABASE_URL: adminUrl, DATABASE_TLS_CA: tlsCa } = new ProvisionConfig();
  const { CONSUL_HTTP_ADDR: consul } = new EngineAddresses();
  return {
    adminUrl,
    tlsCa,
    kafka: new KafkaConfig(),
    ...(consul !== undefined && { consul: new ConsulConfig() }),
    redis: redisSettings(new RedisConfig()),
    withinMs: new EngineConfig().ENGINE_WAIT_SECONDS * 1000,
  };
}
