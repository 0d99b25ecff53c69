import { join } from 'node:path';
import type { RedisSettings } from '@gatehouse/cache/redis';
import {
  type ConsulConfig,
  consulOptionsOf,
  type DirectoryEntry,
  type DirectoryTarget,
  discoveryPlatformSql,
  generateServiceKey,
  publicKeyOf,
  publishDirectory,
} from '@gatehouse/discovery';
import { eventBusPlatformSql, type KafkaConfig } from '@gatehouse/event-bus';
import { provision } from '@gatehouse/persistence';
import { provisionConsul } from './consul/provision-consul.ts';
import type { EngineReport } from './engine-plan.ts';
import { provisionKafka } from './kafka/provision-kafka.ts';
import { provisionRedis } from './redis/provision-redis.ts';
import { keepCredential, writeCredential } from './write-credential.ts';
import type { ServicePackage } from '../workspace/workspace.ts';

export interface ProvisionPlatformOptions {
  /** A superuser's connection to the database that the platform lives in. */
  adminUrl: string;
  /** `DATABASE_TLS_CA`. */
  tlsCa?: string | undefined;
  /** Each engine that is in use, with an administrator's credentials. */
  kafka?: KafkaConfig | undefined;
  consul?: ConsulConfig | undefined;
  redis?: RedisSettings | undefined;
  services: readonly Pick<ServicePackage, 'name' | 'prefixes' | 'namespace' | 'database'>[];
  /** One folder a service is kept in here, and `platform` for what is the provisioner's alone. */
  credentialsDir: string;
  /** A file to publish the directory in besides, for services that are told of each other by static addresses. */
  directoryFile?: string | undefined;
  /**
   * New passwords and tokens for every service, on every engine. Processes that read them from files take them at their next
   * connection. Keys are kept. Default false.
   */
  rotate?: boolean;
  /** How long an engine that does not answer yet is waited for; default not at all. */
  withinMs?: number;
}

export interface Provisioned {
  /** The directory's serial, and whether it was raised now. */
  serial: number;
  changed: boolean;
  /** Whether the database was empty: whatever else is known of this platform is of another one. */
  newDatabase: boolean;
  reports: EngineReport[];
}

/**
 * Everything that only the provisioner may do: roles, schemas and credentials of every service; the platform schema; a
 * principal for each service on every other engine; the key pairs; the signed directory. Idempotent: what is there is kept,
 * what is missing is made, and what services had that are gone is taken away on Kafka, Consul and Redis.
 * @throws EngineUnusable naming engine and variable
 */
export async function provisionPlatform(options: ProvisionPlatformOptions): Promise<Provisioned> {
  const { adminUrl, tlsCa, services, credentialsDir, withinMs = 0, rotate = false } = options;
  const { isNew, left } = await provision({
    adminUrl,
    tlsCa,
    withinMs,
    rotate,
    services: services.map(({ name, database }) => ({ name, database })),
    platformSql: [...discoveryPlatformSql, ...eventBusPlatformSql],
    credentialsDir,
  });
  const database = {
    engine: 'PostgreSQL',
    notes: left.map(
      (name) =>
        `${name}_app may still log in, though there is no such service any more: its schema is kept, and the role is yours to drop`,
    ),
  };
  const reports = [database, ...(await provisionEngines(options))];
  const published = await publish(options);
  return { ...published, newDatabase: isNew, reports };
}

/** One after the other: the first that cannot be used ends it, and says so. */
async function provisionEngines({
  kafka,
  consul,
  redis,
  services,
  credentialsDir,
  withinMs = 0,
  rotate = false,
}: ProvisionPlatformOptions): Promise<EngineReport[]> {
  const folderOf = (service: string) => join(credentialsDir, service);
  const plan = { services, folderOf, withinMs, rotate };
  return [
    ...(kafka?.KAFKA_BROKERS ? [await provisionKafka(kafka, plan)] : []),
    ...(consul ? [await provisionConsul(consul, plan)] : []),
    ...(redis ? [await provisionRedis(redis, plan)] : []),
  ];
}

/** The keys, and the directory where the services look for it. */
async function publish(
  options: ProvisionPlatformOptions,
): Promise<{ serial: number; changed: boolean }> {
  const { services, credentialsDir } = options;
  const platform = join(credentialsDir, 'platform');
  const platformPrivateKey = await keyIn(platform, 'platform-key');
  const trustAnchor = publicKeyOf(platformPrivateKey);
  await writeCredential(platform, 'trust-anchor', trustAnchor);
  const entries: DirectoryEntry[] = [];
  for (const { name, prefixes, namespace } of services) {
    const folder = join(credentialsDir, name);
    const serviceKey = await keyIn(folder, 'service-key');
    await writeCredential(folder, 'trust-anchor', trustAnchor);
    entries.push({ name, prefixes, namespace, publicKey: publicKeyOf(serviceKey) });
  }
  // Processes follow no lower serial than they have seen: a Consul that lost its data must not begin again.
  const known = Number(await keepCredential(platform, 'directory-serial', () => '0'));
  const publishIn = (target: DirectoryTarget) =>
    publishDirectory({ ...target, services: entries, platformPrivateKey, serialAbove: known });
  const published = await publishIn(targetOf(options));
  const { directoryFile: file } = options;
  const { serial } = file === undefined ? published : await publishIn({ file });
  const highest = Math.max(known, published.serial, serial);
  if (highest !== known) await writeCredential(platform, 'directory-serial', String(highest));
  return published;
}

function targetOf({ adminUrl, tlsCa, consul }: ProvisionPlatformOptions): DirectoryTarget {
  return consul ? { consul: consulOptionsOf(consul) } : { adminUrl, tlsCa };
}

/** The private key in that file; made where there is none. */
function keyIn(folder: string, name: string): Promise<string> {
  return keepCredential(folder, name, () => generateServiceKey().privateKey);
}
