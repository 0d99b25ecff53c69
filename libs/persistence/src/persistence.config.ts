import { configOf, envInteger } from '@gatehouse/kernel';
import { z } from 'zod';
import { databaseTlsCa, databaseUrl } from './connection/postgres-variables.ts';

/** 32 random bytes; a key of another length is refused, and there is no default in any profile. */
const secretKey = z
  .string()
  .refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes in base64')
  .meta({ example: '$(openssl rand -base64 32)' });

/** What every service with a schema reads. `gatehouse provision` writes the first three as credential files. */
export class PersistenceConfig extends configOf({
  /** The service's own role: DML in its schema, nothing else. */
  DATABASE_URL: databaseUrl,
  /** Who may have signed the server's certificate. */
  DATABASE_TLS_CA: databaseTlsCa,
  /** Authenticates page tokens. */
  PAGE_TOKEN_KEY: secretKey,
  /** Encrypts what is kept secret in rows. */
  DATA_ENCRYPTION_KEY: secretKey,
  /** Connections to the database. */
  DATABASE_POOL_SIZE: envInteger(10, 1, 500),
  /** How long a statement waits for a free connection before its caller is told 503. */
  DATABASE_POOL_TIMEOUT_MS: envInteger(2_000, 10, 60_000),
  /** 0 is without end. */
  DATABASE_STATEMENT_TIMEOUT_MS: envInteger(60_000, 0, 3_600_000),
}) {}

/** Read by the command `migrate` alone: a running service never holds this credential. */
export class MigratorConfig extends configOf({
  /** Of the role that may change the schema; read by `migrate` alone. */
  MIGRATOR_DATABASE_URL: databaseUrl,
  /** Authorities that may have signed the certificate of PostgreSQL; needs `sslmode` in DATABASE_URL. Without it, those of the system. */
  DATABASE_TLS_CA: databaseTlsCa,
}) {}
