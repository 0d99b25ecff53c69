import { randomBytes } from 'node:crypto';
import { awaitEngine } from '@gatehouse/kernel';
import type { KafkaConfig } from '@gatehouse/event-bus';
import type { EnginePlan, EngineReport } from '../engine-plan.ts';
import { credentialIn, writeCredential } from '../write-credential.ts';
import { accessOf, isSameAccess, type KafkaAccess, ownerOf } from './kafka-access.ts';
import {
  codesOf,
  isRefusedLogin,
  KafkaAdmin,
  type KafkaAddress,
  type KafkaUser,
} from './kafka-admin.ts';

/**
 * A user for each service, by SCRAM, and its rights; where Kafka asks nobody who they are there is nothing to make. A password
 * of an existing file is kept, and given to Kafka where it does not know it. What a user of ours has beyond `accessOf` is
 * taken away, and so is the user of a service that is gone.
 * @throws EngineUnusable where Kafka does not answer in time, or refuses this administrator
 */
export async function provisionKafka(config: KafkaConfig, plan: EnginePlan): Promise<EngineReport> {
  const administrator = administratorOf(config);
  const admin = await openKafka(config, plan.withinMs);
  try {
    if (administrator) return await provisionUsers(admin, administrator, plan);
    return {
      engine: 'Kafka',
      notes: [
        'it asks nobody who they are (KAFKA_SASL_MECHANISM is not set): every client may write every topic',
      ],
    };
  } finally {
    await admin.close();
  }
}

/**
 * A connection that may administer users, as far as Kafka has any.
 * @param brokers those to ask, instead of all that are configured
 * @throws EngineUnusable
 */
export function openKafka(
  config: KafkaConfig,
  withinMs: number,
  brokers = config.KAFKA_BROKERS ?? [],
): Promise<KafkaAdmin> {
  const administrator = administratorOf(config);
  const address: KafkaAddress = {
    brokers,
    ...(config.KAFKA_TLS === 'on' && { tls: tlsOf(config) }),
  };
  return awaitEngine(() => KafkaAdmin.connect(address, administrator), {
    engine: 'Kafka',
    variable: 'KAFKA_BROKERS',
    address: brokers.join(','),
    withinMs,
    refusal: (error) => refusalOf(error, administrator === undefined),
  });
}

/** Undefined where Kafka asks nobody who they are. */
function administratorOf(config: KafkaConfig): KafkaUser | undefined {
  if (config.KAFKA_SASL_MECHANISM === undefined) return undefined;
  return {
    mechanism: config.KAFKA_SASL_MECHANISM.toUpperCase() as KafkaUser['mechanism'],
    username: config.KAFKA_USERNAME ?? '',
    password: config.KAFKA_PASSWORD ?? '',
  };
}

async function provisionUsers(
  admin: KafkaAdmin,
  { mechanism, username: administrator }: KafkaUser,
  plan: EnginePlan,
): Promise<EngineReport> {
  const granted = await admin.access();
  const grantedTo = (name: string) =>
    granted.filter(({ username }) => username === name).map(({ access }) => access);
  for (const { name } of plan.services) {
    if (mechanism !== 'PLAIN') await giveUser(admin, mechanism, plan, name);
    await giveAccess(admin, name, grantedTo(name));
  }
  const gone = ownersAmong(granted)
    .filter((name) => !plan.services.some((service) => service.name === name))
    .filter((name) => name !== administrator);
  for (const name of gone) await admin.removeUser(name);
  return {
    engine: 'Kafka',
    notes: [
      ...(mechanism === 'PLAIN'
        ? ['users of SASL PLAIN are the brokers’ configuration: rights were granted, no user made']
        : []),
      ...(mechanism === 'PLAIN' && plan.rotate
        ? ['no password was changed: change them there']
        : []),
      ...gone.map((name) => `revoked what ${name} had: there is no such service any more`),
    ],
  };
}

async function giveUser(
  admin: KafkaAdmin,
  mechanism: KafkaUser['mechanism'],
  { folderOf, rotate }: EnginePlan,
  service: string,
): Promise<void> {
  const folder = folderOf(service);
  await writeCredential(folder, 'kafka-username', service);
  const password = await credentialIn(folder, 'kafka-password', {
    make: () => randomBytes(32).toString('base64url'),
    rotate,
  });
  const user = { mechanism, username: service, password };
  // A new one cannot be known yet, and whoever reads it before it is set would be refused.
  if (rotate || !(await admin.accepts(user))) await admin.setPassword(user);
}

async function giveAccess(
  admin: KafkaAdmin,
  service: string,
  has: readonly KafkaAccess[],
): Promise<void> {
  const wanted = accessOf(service);
  const missingIn = (some: readonly KafkaAccess[]) => (each: KafkaAccess) =>
    !some.some((other) => isSameAccess(each, other));
  await admin.grant(service, wanted.filter(missingIn(has)));
  await admin.revoke(service, has.filter(missingIn(wanted)));
}

/** Users that a provisioner made: each may write the topics that begin with its own name. */
function ownersAmong(granted: readonly { username: string; access: KafkaAccess }[]): string[] {
  const owners = granted.filter(({ username, access }) => ownerOf(access) === username);
  return [...new Set(owners.map(({ username }) => username))];
}

function tlsOf({ KAFKA_TLS_CA: ca, KAFKA_TLS_CERT: cert, KAFKA_TLS_KEY: key }: KafkaConfig) {
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** Of an administrator; what a service meets is told by its own adapter. */
function refusalOf(error: unknown, isNameless: boolean): string | undefined {
  const codes = codesOf(error);
  if (isNameless && codes.includes('Connection closed')) {
    return 'it hangs up on who has no name: it may want KAFKA_SASL_MECHANISM, or KAFKA_TLS';
  }
  if (isRefusedLogin(error)) return 'KAFKA_USERNAME or KAFKA_PASSWORD is refused';
  if (codes.includes('ENOTFOUND')) return 'a host in KAFKA_BROKERS has no address';
  if (codes.includes('ERR_TLS_CERT_ALTNAME_INVALID')) {
    return 'the certificate is for another host than KAFKA_BROKERS names';
  }
  if (codes.some((code) => /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code))) {
    return 'its certificate is not trusted, see KAFKA_TLS_CA';
  }
  if (codes.some((code) => /^(ERR_SSL_|EPROTO)|before secure TLS connection/.test(code))) {
    return 'KAFKA_TLS is on, and KAFKA_BROKERS speak no TLS, or refuse KAFKA_TLS_CERT';
  }
  return undefined;
}
