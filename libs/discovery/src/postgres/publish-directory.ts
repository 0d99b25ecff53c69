import type { KeyObject } from 'node:crypto';
import pg from 'pg';
import {
  type DirectoryEntry,
  signDirectory,
  verifyDirectory,
} from '../documents/directory.document.ts';
import { publicKeyOf, readPublicKey } from '../documents/keys.ts';

/**
 * Writes the directory with the provisioner's connection: signed, one serial above the stored one, and told to
 * every watcher. A directory that says the same already is left alone, so that provisioning twice changes nothing.
 * A stored directory that does not verify (the platform's key was replaced) is replaced, above its serial.
 */
export async function publishDirectory(options: {
  /** The provisioner's connection to the database that holds schema `platform`. */
  adminUrl: string;
  services: DirectoryEntry[];
  platformPrivateKey: string | KeyObject;
}): Promise<{ serial: number; changed: boolean }> {
  const client = new pg.Client({
    connectionString: options.adminUrl,
    application_name: 'gatehouse-provision',
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ serial: string; document: string }>(
      'SELECT serial, document FROM platform.directory ORDER BY serial DESC LIMIT 1',
    );
    const stored = rows[0];
    const trustAnchor = readPublicKey(publicKeyOf(options.platformPrivateKey));
    const current =
      stored && (await verifyDirectory(stored.document, trustAnchor).catch(() => undefined));
    // An older document written into the newest row says what once was so: processes do not follow it.
    const holds = current?.serial === Number(stored?.serial);
    if (current && holds && sameServices(current.services, options.services))
      return { serial: current.serial, changed: false };
    const serial = Number(stored?.serial ?? 0) + 1;
    const document = await signDirectory(
      { serial, services: options.services },
      options.platformPrivateKey,
    );
    await client.query('SELECT platform.directory_write($1, $2)', [serial, document]);
    return { serial, changed: true };
  } finally {
    await client.end();
  }
}

function sameServices(a: DirectoryEntry[], b: DirectoryEntry[]): boolean {
  const canonical = (services: DirectoryEntry[]): string =>
    JSON.stringify(
      services
        .map((service) => [
          service.name,
          [...new Set(service.prefixes)].sort(),
          service.namespace,
          readPublicKey(service.publicKey).export({ type: 'spki', format: 'pem' }),
        ])
        .sort((x, y) => String(x[0]).localeCompare(String(y[0]))),
    );
  return canonical(a) === canonical(b);
}
