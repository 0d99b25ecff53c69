export {
  ChangeFeed,
  type Change,
  type Changes,
  type TailOptions,
} from './change-feed/change-feed.ts';
export {
  awaitPostgres,
  type AwaitPostgresOptions,
  postgresRefusal,
} from './connection/await-postgres.ts';
export { followAddress, followedAddress } from './connection/followed-address.ts';
export {
  describePostgres,
  type PostgresAddress,
  type PostgresConnection,
  postgresConnection,
} from './connection/postgres-address.ts';
export { databaseTlsCa, databaseUrl } from './connection/postgres-variables.ts';
export {
  DatabaseUnavailable,
  isLockTimeout,
  isUniqueViolation,
  sqlState,
} from './database/database-error.ts';
export type { DatabaseOptions, EntityClass } from './database/database.options.ts';
export { Database, type TransactionOptions } from './database/database.ts';
export { isReplayedAnswer } from './idempotency/idempotency-claim.ts';
export { Idempotency } from './idempotency/idempotency.ts';
export { IdempotentRoute, type IdempotentOptions } from './idempotency/idempotent-route.ts';
export { Idempotent } from './idempotency/idempotent.decorator.ts';
export { migrate, type MigratePlan } from './migrations/migrate.ts';
export type { Migration, PlatformMigration } from './migrations/migration.ts';
export { persistenceMigrations } from './migrations/persistence.migrations.ts';
export { schemaFindings, type SchemaState, schemaStateOf } from './migrations/schema-state.ts';
export { identifier, literal } from './migrations/quote.ts';
export { PageTokens } from './pages/page-token.ts';
export { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, pageOf, PageQuery } from './pages/page.schemas.ts';
export { Pages, type Page, type PageRequest } from './pages/pages.ts';
export { PersistenceConfig } from './persistence.config.ts';
export { PersistenceModule, type PersistenceOptions } from './persistence.module.ts';
export { provision, type ProvisionPlan } from './provisioning/provision.ts';
export { SealBroken, Sealer } from './sealing/sealer.ts';
export { TransactionHooks, type AroundTransaction } from './transactions/transaction-hooks.ts';
export { currentTransaction, type Transaction } from './transactions/transaction.ts';
export { Transactional } from './transactions/transactional.decorator.ts';
export { Etag } from './versions/etag.decorator.ts';
export { checkVersion, etagOf, versionOfIfMatch } from './versions/etag.ts';
export { IfMatch, type IfMatchOptions } from './versions/if-match.decorator.ts';
