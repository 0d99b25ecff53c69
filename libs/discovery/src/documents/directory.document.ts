import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { readPrivateKey, readPublicKey } from './keys.ts';
import { signDocument, verifyDocument } from './signed-document.ts';

/** The name the provisioner signs with; no service may have it. */
export const PROVISIONER = 'provisioner';

/** One service as the provisioner knows it. Prefixes and namespace come from `gatehouse` in its package.json. */
export interface DirectoryEntry {
  name: string;
  /** Paths it may serve, `/v1/users`: that path and everything below it. Empty for one without routes. */
  prefixes: readonly string[];
  /** First segment of its permissions, events and topics. */
  namespace: string;
  publicKey: string | KeyObject;
}

/** A service of the verified directory. */
export interface DirectoryService {
  name: string;
  prefixes: readonly string[];
  namespace: string;
  publicKey: KeyObject;
}

export interface DirectoryContent {
  serial: number;
  services: DirectoryService[];
}

const slug = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'lower-case letters, digits and hyphens');
const prefix = z
  .string()
  .regex(
    /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/,
    'a path without a slash at its end, such as /v1/users',
  );
const payloadSchema = z.object({
  serial: z.number().int().positive(),
  services: z.array(
    z.object({ name: slug, prefixes: z.array(prefix), namespace: slug, public_key: z.string() }),
  ),
});

/**
 * Signs the directory: who the services are, and what each may serve and sign.
 * @throws where a name or namespace is taken twice, a name is reserved, a path is not canonical, or the
 * prefixes of two services overlap (`/v1/users` and `/v1/users/me`).
 */
export async function signDirectory(
  directory: { serial: number; services: DirectoryEntry[] },
  platformPrivateKey: string | KeyObject,
): Promise<string> {
  const payload = payloadSchema.parse({
    serial: directory.serial,
    services: directory.services.map((service) => ({
      name: service.name,
      prefixes: [...new Set(service.prefixes)],
      namespace: service.namespace,
      public_key: readPublicKey(service.publicKey).export({ type: 'spki', format: 'pem' }),
    })),
  });
  refuseConflicts(payload.services);
  return signDocument('gatehouse-directory+jws', payload, readPrivateKey(platformPrivateKey));
}

/** @throws where it is not signed by the platform's key or breaks a rule of `signDirectory`. */
export async function verifyDirectory(
  document: string,
  trustAnchor: KeyObject,
): Promise<DirectoryContent> {
  const payload = payloadSchema.parse(
    await verifyDocument('gatehouse-directory+jws', document, trustAnchor),
  );
  refuseConflicts(payload.services);
  return {
    serial: payload.serial,
    services: payload.services.map(({ public_key, ...service }) => ({
      ...service,
      publicKey: readPublicKey(public_key),
    })),
  };
}

function refuseConflicts(
  services: { name: string; prefixes: string[]; namespace: string }[],
): void {
  for (const [index, a] of services.entries()) {
    if (a.name === PROVISIONER) throw new Error(`the name "${PROVISIONER}" is reserved`);
    for (const b of services.slice(index + 1)) {
      if (a.name === b.name) throw new Error(`two services are named "${a.name}"`);
      if (a.namespace === b.namespace)
        throw new Error(`${a.name} and ${b.name} both claim the namespace "${a.namespace}"`);
      const clash = a.prefixes
        .flatMap((p) => b.prefixes.map((q) => [p, q] as const))
        .find(([p, q]) => covers(p, q) || covers(q, p));
      if (clash)
        throw new Error(`prefixes overlap: ${clash[0]} of ${a.name} and ${clash[1]} of ${b.name}`);
    }
  }
}

/** Whether `path` is `prefix` or lies below it. */
export function covers(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}
