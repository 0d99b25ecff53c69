import { EngineConfig, ServiceInfo } from '@gatehouse/kernel';
import { type DynamicModule, Module } from '@nestjs/common';
import { ChangeFeed } from './change-feed/change-feed.ts';
import { followedAddress } from './connection/followed-address.ts';
import { Database } from './database/database.ts';
import type { EntityClass } from './database/database.options.ts';
import { Idempotency } from './idempotency/idempotency.ts';
import type { Migration } from './migrations/migration.ts';
import { PageTokens } from './pages/page-token.ts';
import { Pages } from './pages/pages.ts';
import { PersistenceConfig } from './persistence.config.ts';
import { PERSISTENCE_OPTIONS, PersistenceLifecycle } from './persistence.lifecycle.ts';
import { Sealer } from './sealing/sealer.ts';
import { TransactionHooks } from './transactions/transaction-hooks.ts';

export interface PersistenceOptions {
  entities: readonly EntityClass[];
  /** In order: libraries' first, then the service's own. The library adds what it needs itself before them. */
  migrations: readonly Migration[];
}

/** A service's own schema, which has the service's name. */
@Module({})
export class PersistenceModule {
  static forService(options: PersistenceOptions): DynamicModule {
    return {
      module: PersistenceModule,
      global: true,
      providers: [
        EngineConfig,
        PersistenceConfig,
        TransactionHooks,
        { provide: PERSISTENCE_OPTIONS, useValue: options },
        {
          provide: Database,
          inject: [PersistenceConfig, ServiceInfo, TransactionHooks],
          useFactory: (config: PersistenceConfig, info: ServiceInfo, hooks: TransactionHooks) =>
            new Database(
              {
                ...followedAddress(config),
                schema: info.name,
                entities: options.entities,
                poolSize: config.DATABASE_POOL_SIZE,
                poolTimeoutMs: config.DATABASE_POOL_TIMEOUT_MS,
                statementTimeoutMs: config.DATABASE_STATEMENT_TIMEOUT_MS,
                applicationName: `${info.name}/${info.instanceId}`,
              },
              hooks,
            ),
        },
        {
          provide: Sealer,
          inject: [PersistenceConfig],
          useFactory: (config: PersistenceConfig) => new Sealer(config.DATA_ENCRYPTION_KEY),
        },
        {
          provide: PageTokens,
          inject: [PersistenceConfig],
          useFactory: (config: PersistenceConfig) => new PageTokens(config.PAGE_TOKEN_KEY),
        },
        Pages,
        ChangeFeed,
        Idempotency,
        PersistenceLifecycle,
      ],
      exports: [Database, TransactionHooks, Sealer, Pages, ChangeFeed, Idempotency],
    };
  }
}
