import { awaitEngine } from '@gatehouse/kernel';
import { describePostgres } from './postgres-address.ts';

export interface AwaitPostgresOptions {
  url: string;
  /** ENGINE_WAIT_SECONDS, in milliseconds; default 0, which is one try. */
  withinMs?: number;
  /** The variable that `url` came from; default DATABASE_URL. */
  variable?: string;
}

/**
 * The first connection to a PostgreSQL: one that is late is waited for; one that refuses the role, or whose certificate is
 * not trusted, is not.
 * @throws EngineUnusable naming the variable to look at
 */
export function awaitPostgres<T>(
  connect: () => Promise<T>,
  { url, withinMs = 0, variable = 'DATABASE_URL' }: AwaitPostgresOptions,
): Promise<T> {
  return awaitEngine(connect, {
    engine: 'PostgreSQL',
    variable,
    address: describePostgres(url),
    withinMs,
    refusal: (error) => postgresRefusal(error, variable),
  });
}

/** What no waiting mends, by SQLSTATE and by errors of OpenSSL, with the variable to look at; see `awaitEngine`. */
export function postgresRefusal(error: unknown, variable = 'DATABASE_URL'): string | undefined {
  for (const { code = '', message } of causes(error)) {
    if (code === '28P01') return `the password in ${variable} is refused`;
    if (code === '28000') return `the role in ${variable}, or its sslmode, is refused`;
    if (code === '3D000') return `the database in ${variable} does not exist`;
    if (code === '42501') return `the role in ${variable} may not connect`;
    if (code === 'ENOTFOUND') return `the host in ${variable} has no address`;
    if (message === 'The server does not support SSL connections') {
      return `${variable} asks for TLS by its sslmode, which the server does not offer`;
    }
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
      return `the server's certificate is for another host than ${variable} names`;
    }
    if (/^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code)) {
      return 'its certificate is not trusted, see DATABASE_TLS_CA';
    }
    if (/^(ERR_SSL_|EPROTO)/.test(code)) return `${variable} names no PostgreSQL that speaks TLS`;
  }
  return undefined;
}

/** An error and what caused it, by shape: what a socket throws may come from another realm. */
function* causes(error: unknown): Generator<Failure> {
  if (typeof error !== 'object' || error === null) return;
  const { cause, errors = [] } = error as Failure;
  yield error;
  for (const each of [...errors, cause]) yield* causes(each);
}

interface Failure {
  code?: string;
  message?: string;
  cause?: unknown;
  /** Of an AggregateError: one for each address of a name. */
  errors?: unknown[];
}
