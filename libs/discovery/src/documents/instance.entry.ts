import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { signDocument, verifyDocument } from './signed-document.ts';

/** How long a signature holds, apart from the lease. */
export const SIGNATURE_LIFETIME_MS = 3_600_000;

/** How far two machines' clocks may be apart before an entry counts as signed in the future. */
export const CLOCK_SKEW_MS = 60_000;

/** A verified instance: every field was signed with the key of its service. */
export interface ServiceInstance {
  service: string;
  instanceId: string;
  version: string;
  /** `http://host:port` */
  httpUrl?: string;
  /** `host:port` */
  grpcAddress?: string;
  /** `http://host:port` of the listener with health and metrics, for those who watch; nobody of the platform calls it. */
  adminUrl?: string;
  /** `sha-256:<hex>` over the manifest's bytes. */
  manifestDigest?: string;
  signedAt: Date;
  expiresAt: Date;
}

/** Why an entry of the registry is not used. */
export type RefusalReason =
  'malformed' | 'unknown-service' | 'signature' | 'expired' | 'misplaced' | 'superseded';

/** An entry that must not be used; the message says what is wrong with it. */
export class EntryRefused extends Error {
  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(message);
  }
}

const payloadSchema = z.object({
  service: z.string(),
  instance_id: z.string().min(1).max(128),
  version: z.string().max(128),
  http_url: z.url({ protocol: /^https?$/ }).optional(),
  grpc_address: z
    .string()
    .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/, 'host:port')
    .optional(),
  admin_url: z.url({ protocol: /^https?$/ }).optional(),
  manifest_digest: z
    .string()
    .regex(/^sha-256:[0-9a-f]{64}$/)
    .optional(),
  signed_at: z.number().int().nonnegative(),
  expires_at: z.number().int().nonnegative(),
});

/** Signs an instance with its service's key, for an hour from `instance.signedAt`. */
export async function signEntry(
  instance: Omit<ServiceInstance, 'expiresAt'>,
  serviceKey: KeyObject,
): Promise<string> {
  const payload = payloadSchema.parse({
    service: instance.service,
    instance_id: instance.instanceId,
    version: instance.version,
    http_url: instance.httpUrl,
    grpc_address: instance.grpcAddress,
    admin_url: instance.adminUrl,
    manifest_digest: instance.manifestDigest,
    signed_at: instance.signedAt.getTime(),
    expires_at: instance.signedAt.getTime() + SIGNATURE_LIFETIME_MS,
  });
  return signDocument('gatehouse-entry+jws', payload, serviceKey);
}

/**
 * The instance an entry speaks of, once the signature holds under its service's key.
 * Says nothing about the directory, supersession or the place where the entry was found: see `EntryVerifier`.
 * @throws {EntryRefused} where it was altered, signed by another key, has expired, or lasts longer than an entry may.
 */
export async function verifyEntry(
  entry: string,
  serviceKey: KeyObject,
  now = Date.now(),
): Promise<ServiceInstance> {
  const content = await verifyDocument('gatehouse-entry+jws', entry, serviceKey).catch(
    (error: unknown) => {
      throw new EntryRefused('signature', error instanceof Error ? error.message : String(error));
    },
  );
  const parsed = payloadSchema.safeParse(content);
  if (!parsed.success) throw new EntryRefused('malformed', z.prettifyError(parsed.error));
  const payload = parsed.data;
  if (payload.expires_at <= now) throw new EntryRefused('expired', 'the signature has expired');
  if (payload.signed_at > now + CLOCK_SKEW_MS)
    throw new EntryRefused('expired', 'signed in the future');
  if (payload.expires_at - payload.signed_at > SIGNATURE_LIFETIME_MS)
    throw new EntryRefused('expired', 'the signature lasts too long');
  return Object.freeze({
    service: payload.service,
    instanceId: payload.instance_id,
    version: payload.version,
    ...(payload.http_url !== undefined && { httpUrl: payload.http_url }),
    ...(payload.grpc_address !== undefined && { grpcAddress: payload.grpc_address }),
    ...(payload.admin_url !== undefined && { adminUrl: payload.admin_url }),
    ...(payload.manifest_digest !== undefined && { manifestDigest: payload.manifest_digest }),
    signedAt: new Date(payload.signed_at),
    expiresAt: new Date(payload.expires_at),
  });
}
