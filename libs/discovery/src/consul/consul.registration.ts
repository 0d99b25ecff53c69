import { createHash } from 'node:crypto';

/** What every instance of the platform is tagged with, and found by. */
export const TAG = 'gatehouse';

/** Consul takes no longer value in a service's meta. */
const META_VALUE_LENGTH = 512;
const META_PREFIX = 'gatehouse-entry-';
const META_LEASE = 'gatehouse-lease-ms';
/** `host:port` of the admin listener: where Prometheus finds `/metrics` (docker/prometheus/prometheus.yml). */
const META_ADMIN = 'gatehouse-admin';
/** As in the lease table of PostgreSQL. */
const MAX_ENTRY_LENGTH = 8_192;
const MAX_LEASE_MS = 60_000;
/**
 * What its TTL leaves of a lease for the news of its end to arrive; of a short one a quarter. An agent that sees a server
 * come up tells the servers nothing for up to two seconds (`serverUpIntv` of its state syncer).
 */
const NEWS_MS = 2_000;

/** The id of an instance at its agent. No name of a service holds a colon. */
export function serviceIdOf(service: string, instanceId: string): string {
  return `${service}:${instanceId}`;
}

/** The way back; an id that was not made so is taken whole, and its entry then found to be misplaced. */
export function instanceIdOf(service: string, serviceId: string): string {
  return serviceId.startsWith(`${service}:`) ? serviceId.slice(service.length + 1) : serviceId;
}

export function checkIdOf(serviceId: string): string {
  return `service:${serviceId}`;
}

/** What `notesOf` gives, as a regular expression. */
export const NOTES_PATTERN = '^gatehouse entry sha-256:[0-9a-f]{64}$';

/** Stands in the check's notes: a check that is read says which entry the service holds. */
export function notesOf(entry: string): string {
  return `gatehouse entry sha-256:${createHash('sha256').update(entry).digest('hex')}`;
}

/**
 * The body of `PUT /v1/agent/service/register`. The signed entry lies in the meta, cut to what a value may hold, so that
 * instance and entry come and go as one and an agent restores both to a server that lost them. Version and addresses
 * stand there for people, Prometheus and Consul's own DNS; nobody of the platform believes them.
 * @throws where the entry is too long
 */
export function registrationOf(
  service: string,
  instanceId: string,
  entry: string,
  leaseMs: number,
): object {
  if (entry.length > MAX_ENTRY_LENGTH)
    throw new Error(`an entry of ${entry.length} characters; at most ${MAX_ENTRY_LENGTH} are kept`);
  const lease = Math.min(Math.max(leaseMs, 100), MAX_LEASE_MS);
  const ttlMs = Math.round(lease - Math.min(NEWS_MS, lease / 4));
  const parts = Array.from({ length: Math.ceil(entry.length / META_VALUE_LENGTH) }, (_, n) => [
    `${META_PREFIX}${n + 1}`,
    entry.slice(n * META_VALUE_LENGTH, (n + 1) * META_VALUE_LENGTH),
  ]);
  const { version, address, port, admin } = seen(entry);
  const id = serviceIdOf(service, instanceId);
  return {
    ID: id,
    Name: service,
    Tags: [TAG, ...(version === undefined ? [] : [`version=${version}`])],
    ...(address !== undefined && { Address: address, Port: port }),
    Meta: {
      ...(Object.fromEntries(parts) as object),
      [META_LEASE]: String(lease),
      ...(admin !== undefined && { [META_ADMIN]: admin }),
    },
    Check: {
      CheckID: checkIdOf(id),
      Name: 'lease of a Gatehouse instance',
      Notes: notesOf(entry),
      TTL: `${ttlMs}ms`,
      Status: 'passing',
      DeregisterCriticalServiceAfter: '1m',
    },
  };
}

/** The entry a service's meta holds, and the lease it states; what a stranger wrote gives an entry that no key signed. */
export function readMeta(meta: Readonly<Record<string, string>>): {
  entry: string;
  leaseMs: number;
} {
  let entry = '';
  for (let n = 1, part; (part = meta[`${META_PREFIX}${n}`]) !== undefined; n++) entry += part;
  const leaseMs = Number(meta[META_LEASE]);
  return { entry, leaseMs: leaseMs > 0 ? Math.min(leaseMs, MAX_LEASE_MS) : 0 };
}

/** What an entry says of itself, unverified. */
function seen(entry: string): {
  version?: string;
  address?: string;
  port?: number;
  admin?: string;
} {
  try {
    const payload = JSON.parse(Buffer.from(entry.split('.')[1] ?? '', 'base64url').toString()) as {
      version?: string;
      http_url?: string;
      admin_url?: string;
    };
    const url = payload.http_url === undefined ? undefined : new URL(payload.http_url);
    return {
      ...(payload.version !== undefined && { version: payload.version }),
      ...(payload.admin_url !== undefined && { admin: new URL(payload.admin_url).host }),
      ...(url && {
        address: url.hostname.replace(/^\[|\]$/g, ''),
        port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)),
      }),
    };
  } catch {
    return {};
  }
}
