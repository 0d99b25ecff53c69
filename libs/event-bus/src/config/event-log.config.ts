import { configOf } from '@gatehouse/kernel';
import { databaseTlsCa, databaseUrl } from '@gatehouse/persistence';

/** Where the bus finds PostgreSQL: for its log, and for the notices of whatever shares it. */
export class EventLogConfig extends configOf({
  /** Of the service's own role. */
  DATABASE_URL: databaseUrl,
  /** Authorities that may have signed the certificate of PostgreSQL; needs `sslmode` in DATABASE_URL. Without it, those of the system. */
  DATABASE_TLS_CA: databaseTlsCa,
}) {}
