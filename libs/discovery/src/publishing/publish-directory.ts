import type { KeyObject } from 'node:crypto';
import type { ConsulOptions } from '../consul/consul.client.ts';
import { ConsulDirectory } from '../consul/consul-directory.ts';
import {
  type DirectoryEntry,
  signDirectory,
  verifyDirectory,
} from '../documents/directory.document.ts';
import { publicKeyOf, readPublicKey } from '../documents/keys.ts';
import { PostgresDirectory } from '../postgres/postgres-directory.ts';
import { FileDirectory } from '../static/file-directory.ts';
import type { DirectoryPlace } from './directory.place.ts';

/** Where the directory is published: where the services' own registry is. */
export type DirectoryTarget =
  /** The provisioner's connection to the database that holds schema `platform`. */
  | { adminUrl: string; /** `DATABASE_TLS_CA` */ tlsCa?: string | undefined }
  /** Consul, with a token that may write KV `gatehouse/directory`. */
  | { consul: ConsulOptions }
  /** The file that services read as GATEHOUSE_DIRECTORY_FILE. */
  | { file: string };

export type PublishDirectoryOptions = DirectoryTarget & {
  services: DirectoryEntry[];
  platformPrivateKey: string | KeyObject;
  /**
   * The highest serial that was ever published, where the provisioner remembers it: processes follow no lower one, so a
   * target that lost its data must not begin at 1 again.
   */
  serialAbove?: number;
};

const ATTEMPTS = 10;

/**
 * Writes the directory with the provisioner's credential: signed, one serial above the stored one, and told to
 * every watcher. A directory that says the same already is left alone, so that provisioning twice changes nothing.
 * A stored directory that does not verify (the platform's key was replaced) is replaced, above its serial.
 */
export async function publishDirectory(
  options: PublishDirectoryOptions,
): Promise<{ serial: number; changed: boolean }> {
  const place = placeOf(options);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const published = await publish(place, options);
      if (published) return published;
    }
    throw new Error('the directory is being written by somebody else, again and again');
  } finally {
    await place.close();
  }
}

function placeOf(target: DirectoryTarget): DirectoryPlace {
  if ('consul' in target) return new ConsulDirectory(target.consul);
  if ('file' in target) return new FileDirectory(target.file);
  return new PostgresDirectory(target.adminUrl, target.tlsCa);
}

/** One try; undefined where somebody else wrote at the same time. */
async function publish(
  place: DirectoryPlace,
  { services, platformPrivateKey, serialAbove = 0 }: PublishDirectoryOptions,
): Promise<{ serial: number; changed: boolean } | undefined> {
  const stored = await place.read();
  const trustAnchor = readPublicKey(publicKeyOf(platformPrivateKey));
  const current =
    stored.document === undefined
      ? undefined
      : await verifyDirectory(stored.document, trustAnchor).catch(() => undefined);
  // An older document written into the newest row says what once was so: processes do not follow it.
  const holds = current?.serial === stored.serial && stored.serial >= serialAbove;
  if (current && holds && sameServices(current.services, services))
    return { serial: current.serial, changed: false };
  const serial = Math.max(stored.serial, serialAbove) + 1;
  const document = await signDirectory({ serial, services }, platformPrivateKey);
  return (await place.write(document, serial, stored)) ? { serial, changed: true } : undefined;
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
