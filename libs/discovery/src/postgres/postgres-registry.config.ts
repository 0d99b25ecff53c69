import { configOf } from '@gatehouse/kernel';
import { databaseTlsCa, databaseUrl } from '@gatehouse/persistence';

/** Read only where PostgreSQL holds the registry. */
export class PostgresRegistryConfig extends configOf({
  /** The database that holds the registry; of the service's own role. */
  DATABASE_URL: databaseUrl,
  /** Authorities that may have signed the certificate of PostgreSQL; needs `sslmode` in DATABASE_URL. Without it, those of the system. */
  DATABASE_TLS_CA: databaseTlsCa,
}) {}
