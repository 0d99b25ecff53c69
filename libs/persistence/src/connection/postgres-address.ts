import { X509Certificate } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '@gatehouse/kernel';

/** Where a PostgreSQL is, and whom to trust there: what `DATABASE_URL` and `DATABASE_TLS_CA` say. */
export interface PostgresAddress {
  /** With `sslmode` as a parameter, see `SSL_MODES`; without one the connection is not encrypted. */
  url: string;
  /** PEM certificates of the authorities that may have signed the server's; default those that Node trusts. */
  tlsCa?: string | undefined;
  /** The URL at this moment, where its password may be changed while the process runs; see `followedAddress`. */
  current?: (() => string) | undefined;
}

/** What pg's Client and Pool, and TypeORM's data source, take of an address. */
export interface PostgresConnection {
  connectionString: string;
  ssl: false | Pick<ConnectionOptions, 'ca' | 'rejectUnauthorized' | 'checkServerIdentity'>;
}

/**
 * As libpq understands them, and not as node-postgres 8 does, which verifies the certificate in every mode but `disable`:
 * `require` encrypts to whoever answers (and verifies the chain where a CA is given), `verify-ca` verifies the chain,
 * `verify-full` the host's name as well. `allow` and `prefer` fall back to plain text, and are refused.
 */
export const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof SSL_MODES)[number];

/** Parameters that node-postgres would read files for, or let decide against `sslmode`. */
const REFUSED = ['ssl', 'sslcert', 'sslkey', 'sslrootcert', 'uselibpqcompat', 'sslnegotiation'];

/** @returns what is wrong with the URL, in words that repeat nothing of it */
export function problemOfUrl(url: string): string | undefined {
  if (!/^postgres(ql)?:\/\/\S+$/.test(url) || !URL.canParse(url)) {
    return 'must be a URL that starts with postgres://';
  }
  const { searchParams } = new URL(url);
  const refused = REFUSED.find((name) => searchParams.has(name));
  if (refused !== undefined) {
    return `says ${refused}: only sslmode is understood, and DATABASE_TLS_CA for the authority`;
  }
  const mode = searchParams.get('sslmode');
  if (mode !== null && !isSslMode(mode)) {
    return `sslmode must be one of ${SSL_MODES.join(', ')}`;
  }
  return undefined;
}

/** Whether it holds PEM certificates and nothing that is none. */
export function isCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block)).length > 0;
  } catch {
    return false;
  }
}

/**
 * What to connect with.
 * @throws ConfigError where the URL is not one (`problemOfUrl`), or a CA is given for a connection that is not encrypted
 */
export function postgresConnection({
  url: first,
  tlsCa,
  current,
}: PostgresAddress): PostgresConnection {
  const url = current?.() ?? first;
  const problem = problemOfUrl(url);
  if (problem !== undefined) throw new ConfigError([{ variable: 'DATABASE_URL', problem }]);
  const parsed = new URL(url);
  const mode = sslModeOf(parsed);
  parsed.searchParams.delete('sslmode');
  const connectionString = parsed.href;
  if (mode === 'disable') {
    if (tlsCa !== undefined) throw new ConfigError([CA_WITHOUT_TLS]);
    return { connectionString, ssl: false };
  }
  const ca = tlsCa === undefined ? {} : { ca: tlsCa };
  if (mode === 'verify-full') return { connectionString, ssl: { ...ca } };
  if (mode === 'require' && tlsCa === undefined) {
    return { connectionString, ssl: { rejectUnauthorized: false } };
  }
  return { connectionString, ssl: { ...ca, checkServerIdentity: () => undefined } };
}

/** For people: `host:port/database`, without credentials. */
export function describePostgres(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || '5432'}${pathname}`;
}

const CA_WITHOUT_TLS = {
  variable: 'DATABASE_TLS_CA',
  problem: 'is set, but DATABASE_URL does not ask for TLS: add ?sslmode=verify-full to it',
};

function sslModeOf(url: URL): SslMode {
  const mode = url.searchParams.get('sslmode');
  return mode !== null && isSslMode(mode) ? mode : 'disable';
}

function isSslMode(mode: string): mode is SslMode {
  return (SSL_MODES as readonly string[]).includes(mode);
}
