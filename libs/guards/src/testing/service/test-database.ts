import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  discoveryPlatformSql,
  generateServiceKey,
  publicKeyOf,
  publishDirectory,
} from '@gatehouse/discovery';
import { eventBusPlatformSql } from '@gatehouse/event-bus';
import type { Migration } from '@gatehouse/persistence';
import { provisionedDatabase, type ProvisionedDatabase } from '@gatehouse/persistence/testing';

/** Who there is besides the service under test. */
const CORE = ['gateway', 'auth', 'identity', 'authz', 'audit'];

export interface TestedService {
  name: string;
  prefixes: readonly string[];
  namespace: string;
  /** None: it has no schema. */
  migrations?: readonly Migration[] | undefined;
  /** Others besides the core ones: those whose events it hears. */
  peers?: readonly string[] | undefined;
}

/** A database as `gatehouse provision` leaves it, signed directory included; of schemas only the tested service's. */
export async function testDatabase(tested: TestedService): Promise<{
  database: ProvisionedDatabase;
  platformPrivateKey: string;
}> {
  const others = [...new Set([...CORE, ...(tested.peers ?? [])])].filter(
    (name) => name !== tested.name,
  );
  const database = await provisionedDatabase({
    services: {
      ...Object.fromEntries(others.map((name) => [name, null])),
      [tested.name]: tested.migrations ?? null,
    },
    platformSql: [...discoveryPlatformSql, ...eventBusPlatformSql],
  });
  const platform = generateServiceKey();
  const entries = [];
  for (const name of [...others, tested.name]) {
    const { privateKey, publicKey } = generateServiceKey();
    const { prefixes, namespace } =
      name === tested.name ? tested : { prefixes: [`/v1/stand-in-of-${name}`], namespace: name };
    entries.push({ name, prefixes: [...prefixes], namespace, publicKey });
    const file = (credential: string) => join(database.credentialsDir(name), credential);
    await writeFile(file('service-key'), privateKey, { mode: 0o600 });
    await writeFile(file('trust-anchor'), publicKeyOf(platform.privateKey), { mode: 0o600 });
  }
  await publishDirectory({
    adminUrl: database.adminUrl,
    services: entries,
    platformPrivateKey: platform.privateKey,
  });
  return { database, platformPrivateKey: platform.privateKey };
}
