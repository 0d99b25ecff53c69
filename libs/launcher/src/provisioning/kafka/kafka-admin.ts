import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import {
  type Acl,
  AclOperations,
  AclPermissionTypes,
  alterUserScramCredentialsV0,
  Connection,
  createAclsV3,
  deleteAclsV3,
  describeAclsV3,
  describeUserScramCredentialsV0,
  ResourcePatternTypes,
  ResourceTypes,
  ScramMechanisms,
} from '@platformatic/kafka';
import type { KafkaAccess } from './kafka-access.ts';

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export interface KafkaUser {
  mechanism: ScramMechanism | 'PLAIN';
  username: string;
  password: string;
}

export interface KafkaAddress {
  /** `host:port`, asked in order until one answers. */
  brokers: readonly string[];
  tls?: TlsOptions;
}

const TIMEOUT_MS = 5_000;
const ITERATIONS = 8_192;
const CODES = {
  'SCRAM-SHA-256': { code: ScramMechanisms.SCRAM_SHA_256, digest: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { code: ScramMechanisms.SCRAM_SHA_512, digest: 'sha512', bytes: 64 },
} as const;

/**
 * Users and rights of a Kafka cluster. kafkajs, which the services speak, cannot make SCRAM users; every broker of a KRaft
 * cluster hands these requests on to the controller, so one connection does.
 */
export class KafkaAdmin {
  private constructor(
    private readonly connection: Connection,
    private readonly address: KafkaAddress,
  ) {}

  /** @throws what the last broker failed with */
  static async connect(address: KafkaAddress, user?: KafkaUser): Promise<KafkaAdmin> {
    const admin = new KafkaAdmin(await connect(address, user), address);
    try {
      // An answer only an administrator gets: without the right, better now than half way through.
      await admin.users();
      return admin;
    } catch (error) {
      await admin.close();
      throw error;
    }
  }

  /** Whether a client can log in so. @throws where no broker answers */
  async accepts(user: KafkaUser): Promise<boolean> {
    try {
      await (await connect(this.address, user)).close();
      return true;
    } catch (error) {
      if (isRefusedLogin(error)) return false;
      throw error;
    }
  }

  /** The names of SCRAM users. */
  async users(): Promise<string[]> {
    const { results } = await describeUserScramCredentialsV0.api.async(this.connection, null);
    return results.map(({ user }) => user);
  }

  async setPassword({ mechanism, username, password }: KafkaUser): Promise<void> {
    if (mechanism === 'PLAIN')
      throw new Error('users of SASL PLAIN are the configuration of a broker');
    const { code, digest, bytes } = CODES[mechanism];
    const salt = randomBytes(bytes);
    // The password itself does not leave this process (RFC 5802: the salted one is what a server derives its keys from).
    const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, bytes, digest);
    const credential = { name: username, mechanism: code, iterations: ITERATIONS, salt };
    await alterUserScramCredentialsV0.api.async(
      this.connection,
      [],
      [{ ...credential, saltedPassword }],
    );
  }

  /** Both what it logs in with, and what it may do. */
  async removeUser(username: string): Promise<void> {
    const { results } = await describeUserScramCredentialsV0.api.async(this.connection, null);
    const known = results.find(({ user }) => user === username)?.credentialInfos ?? [];
    if (known.length > 0) {
      const deletions = known.map(({ mechanism }) => ({ name: username, mechanism }));
      await alterUserScramCredentialsV0.api.async(this.connection, deletions, []);
    }
    await deleteAclsV3.api.async(this.connection, [{ ...ANY, principal: principalOf(username) }]);
  }

  /** Every right that is granted to a user, whoever that is. */
  async access(): Promise<{ username: string; access: KafkaAccess }[]> {
    const { resources } = await describeAclsV3.api.async(this.connection, ANY);
    return resources.flatMap((resource) =>
      resource.acls
        .filter(({ principal, host, permissionType }) => {
          const granted = permissionType === AclPermissionTypes.ALLOW && host === '*';
          return granted && principal.startsWith('User:');
        })
        .map(({ principal, operation }) => ({
          username: principal.slice('User:'.length),
          access: {
            resource: labelOf(ResourceTypes, resource.resourceType),
            name: resource.resourceName,
            pattern: labelOf(ResourcePatternTypes, resource.resourcePatternType),
            operation: labelOf(AclOperations, operation),
          } as KafkaAccess,
        })),
    );
  }

  async grant(username: string, access: readonly KafkaAccess[]): Promise<void> {
    if (access.length === 0) return;
    const acls = access.map((each) => aclOf(username, each));
    await createAclsV3.api.async(this.connection, acls);
  }

  async revoke(username: string, access: readonly KafkaAccess[]): Promise<void> {
    if (access.length === 0) return;
    const acls = access.map((each) => aclOf(username, each));
    await deleteAclsV3.api.async(this.connection, acls);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

/** The login itself was refused, and not merely no answer given. */
export function isRefusedLogin(error: unknown): boolean {
  return codesOf(error).includes('PLT_KFK_AUTHENTICATION');
}

/** `code` and message of an error and of all that caused it. */
export function codesOf(error: unknown): string[] {
  const { code, message, cause, errors } = (error ?? {}) as Record<string, unknown>;
  return [
    ...[code, message].filter((each) => typeof each === 'string'),
    ...(Array.isArray(errors) ? errors.flatMap(codesOf) : []),
    ...(cause === undefined ? [] : codesOf(cause)),
  ];
}

const ANY = {
  resourceType: ResourceTypes.ANY,
  resourceName: null,
  resourcePatternType: ResourcePatternTypes.ANY,
  principal: null,
  host: null,
  operation: AclOperations.ANY,
  permissionType: AclPermissionTypes.ANY,
};

function principalOf(username: string): string {
  return `User:${username}`;
}

function aclOf(username: string, { resource, name, pattern, operation }: KafkaAccess): Acl {
  return {
    resourceType: ResourceTypes[resource],
    resourceName: name,
    resourcePatternType: ResourcePatternTypes[pattern],
    principal: principalOf(username),
    host: '*',
    operation: AclOperations[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

function labelOf(labels: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(labels).find(([, each]) => each === value)?.[0] ?? String(value);
}

async function connect({ brokers, tls }: KafkaAddress, user?: KafkaUser): Promise<Connection> {
  let failure: unknown = new Error('no broker is named');
  for (const broker of brokers) {
    const [host, port] = splitBroker(broker);
    const connection = new Connection('gatehouse-provision', {
      connectTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      ...(tls && { tls: { ...tls, ...(isIP(host) === 0 && { servername: host }) } }),
      ...(user && { sasl: user }),
    });
    connection.on('error', () => undefined);
    try {
      await connection.connect(host, port);
      return connection;
    } catch (error) {
      failure = error;
      await connection.close().catch(() => undefined);
    }
  }
  throw failure;
}

function splitBroker(broker: string): [string, number] {
  const at = broker.lastIndexOf(':');
  return [broker.slice(0, at).replace(/^\[(.*)\]$/, '$1'), Number(broker.slice(at + 1))];
}
