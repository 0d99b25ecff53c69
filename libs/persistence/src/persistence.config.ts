import { configOf } from '@gatehouse/kernel';
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
  DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(500).default(10).meta({ example: '10' }),
  /** How long a statement waits for a free connection before its caller is told 503. */
  DATABASE_POOL_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(2_000)
    .meta({ example: '2000' }),
  /** 0 is without end. */
  DATABASE_STATEMENT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .default(60_000)
    .meta({ example: '60000' }),
}) {}

/** Read by the command `migrate` alone: a running service never holds this credential. */
export class MigratorConfig extends configOf({
  /** Of the role that may change the schema; read by `migrate` alone. */
  MIGRATOR_DATABASE_URL: databaseUrl,
  /** Authorities that may have signed the certificate of PostgreSQL; needs `sslmode` in DATABASE_URL. Without it, those of the system. */
  DATABASE_TLS_CA: databaseTlsCa,
}) {}
