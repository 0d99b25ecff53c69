import {
  Checkup,
  CommandRegistry,
  EngineConfig,
  type Finding,
  Health,
  Lifecycle,
  Metrics,
  ServiceInfo,
} from '@gatehouse/kernel';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { awaitPostgres } from './connection/await-postgres.ts';
import { Database } from './database/database.ts';
import { publishDatabase } from './database/database-metrics.ts';
import { DatabaseProbe } from './database/database-probe.ts';
import { Idempotency } from './idempotency/idempotency.ts';
import { migrate } from './migrations/migrate.ts';
import type { Migration } from './migrations/migration.ts';
import { persistenceMigrations } from './migrations/persistence.migrations.ts';
import { schemaFindings, type SchemaState, schemaStateOf } from './migrations/schema-state.ts';
import { MigratorConfig, PersistenceConfig } from './persistence.config.ts';

export const PERSISTENCE_OPTIONS = Symbol('persistence options');

const SWEEP_MS = 10 * 60_000;

/** Ties the schema to the process: when it is opened and closed, what it shows, and the command `migrate`. */
@Injectable()
export class PersistenceLifecycle {
  private readonly logger = new Logger('Persistence');
  private sweep: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly info: ServiceInfo,
    @Inject(PERSISTENCE_OPTIONS) private readonly options: { migrations: readonly Migration[] },
    config: PersistenceConfig,
    private readonly engines: EngineConfig,
    lifecycle: Lifecycle,
    health: Health,
    commands: CommandRegistry,
    metrics: Metrics,
    checkup: Checkup,
  ) {
    const probe = new DatabaseProbe(database.options);
    lifecycle.onStart('database', 'open the schema', () => this.open());
    lifecycle.onStop('close', 'close the schema', async () => {
      clearInterval(this.sweep);
      await Promise.all([database.close(), probe.close()]);
    });
    health.addReadiness('database', () => probe.check());
    commands.add('migrate', "bring the service's schema up to date", () => this.migrate());
    checkup.add('schema', () => this.look());
    publishDatabase(metrics, database);
  }

  private async open(): Promise<void> {
    await awaitPostgres(() => this.database.connect(), {
      url: this.database.options.url,
      withinMs: this.engines.ENGINE_WAIT_SECONDS * 1000,
    });
    await this.refuseOldSchema();
    this.sweep = setInterval(() => void this.removeExpired(), SWEEP_MS).unref();
  }

  private get migrations(): readonly Migration[] {
    return [...persistenceMigrations, ...this.options.migrations];
  }

  private async migrate(): Promise<void> {
    const { MIGRATOR_DATABASE_URL: url, DATABASE_TLS_CA: tlsCa } = new MigratorConfig();
    const applied = await migrate({
      url,
      tlsCa,
      variable: 'MIGRATOR_DATABASE_URL',
      withinMs: this.engines.ENGINE_WAIT_SECONDS * 1000,
      schema: this.info.name,
      migrations: this.migrations,
    });
    this.logger.log(
      applied.length === 0 ? 'the schema is up to date' : `${applied.length} applied`,
    );
  }

  private state(): Promise<SchemaState> {
    const query = (sql: string, parameters: unknown[]) => this.database.query(sql, parameters);
    return schemaStateOf(query, this.info.name, this.migrations);
  }

  /** A schema that is ahead is fine (a rolling upgrade); one that is behind is not. */
  private async refuseOldSchema(): Promise<void> {
    const { missing, skipped } = await this.state();
    const lacking = [...skipped, ...missing];
    if (lacking.length === 0) return;
    throw new Error(
      `schema ${this.info.name} lacks ${lacking.join(', ')}: run the command \`migrate\` first`,
    );
  }

  private async look(): Promise<Finding[]> {
    await awaitPostgres(() => this.database.connect(), { url: this.database.options.url });
    return schemaFindings(await this.state(), `\`migrate\` of ${this.info.name}`);
  }

  private async removeExpired(): Promise<void> {
    try {
      while ((await this.idempotency.deleteExpired()) > 0);
    } catch (error) {
      this.logger.warn({ err: error }, 'expired idempotency keys were not removed');
    }
  }
}
