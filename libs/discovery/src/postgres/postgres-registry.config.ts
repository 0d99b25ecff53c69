import { configOf } from '@gatehouse/kernel';
import { databaseTlsCa, databaseUrl } from '@gatehouse/persistence';

/** Read only where PostgreSQL holds the registry. */
export class PostgresRegistryConfig extends configOf({
  /** The database that holds the registry; of the service's own role. */
  DATABASE_URL: databaseUrl,
  DATABASE_TLS_CA: databaseTlsCa,
}) {}
