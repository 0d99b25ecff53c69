import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  discoveryPlatformSql,
  generateServiceKey,
  publicKeyOf,
  publishDirectory,
} from '@gatehouse/discovery';
import { eventBusPlatformSql } from '@gatehouse/event-bus';
import { provision } from '@gatehouse/persistence';
import { writeCredential } from './write-credential.ts';
import type { ServicePackage } from '../workspace/workspace.ts';

export interface ProvisionPlatformOptions {
  /** A superuser's connection to the database that the platform lives in. */
  adminUrl: string;
  services: readonly Pick<ServicePackage, 'name' | 'prefixes' | 'namespace' | 'database'>[];
  /** One folder a service is kept in here, and `platform` for what is the provisioner's alone. */
  credentialsDir: string;
}

export interface Provisioned {
  /** The directory's serial, and whether it was raised now. */
  serial: number;
  changed: boolean;
}

/**
 * Everything that only the provisioner may do: roles, schemas and credentials of every service; the platform schema;
 * the key pairs; the signed directory. Idempotent: what is there is kept, what is missing is made.
 */
export async function provisionPlatform(options: ProvisionPlatformOptions): Promise<Provisioned> {
  const { adminUrl, services, credentialsDir } = options;
  await provision({
    adminUrl,
    services: services.map(({ name, database }) => ({ name, database })),
    platformSql: [...discoveryPlatformSql, ...eventBusPlatformSql],
    credentialsDir,
  });
  const platformPrivateKey = await keyIn(join(credentialsDir, 'platform'), 'platform-key');
  const trustAnchor = publicKeyOf(platformPrivateKey);
  await writeCredential(join(credentialsDir, 'platform'), 'trust-anchor', trustAnchor);
  const entries = [];
  for (const { name, prefixes, namespace } of services) {
    const folder = join(credentialsDir, name);
    const serviceKey = await keyIn(folder, 'service-key');
    await writeCredential(folder, 'trust-anchor', trustAnchor);
    entries.push({ name, prefixes, namespace, publicKey: publicKeyOf(serviceKey) });
  }
  return publishDirectory({ adminUrl, services: entries, platformPrivateKey });
}

/** The private key in that file; made where there is none. */
async function keyIn(folder: string, name: string): Promise<string> {
  const stored = await readFile(join(folder, name), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (stored !== undefined) return stored;
  const { privateKey } = generateServiceKey();
  await writeCredential(folder, name, privateKey);
  return privateKey;
}
