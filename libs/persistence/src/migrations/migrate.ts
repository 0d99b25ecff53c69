import { Logger } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { awaitPostgres } from '../connection/await-postgres.ts';
import { type PostgresAddress, postgresConnection } from '../connection/postgres-address.ts';
import { checksumOf } from './checksum.ts';
import type { Migration } from './migration.ts';
import { identifier, literal } from './quote.ts';

/** The address is that of `<service>_migrator`, or of a superuser. */
export interface MigratePlan extends PostgresAddress {
  schema: string;
  /** Owns what is made: default `<schema>_owner`. */
  owner?: string;
  migrations: readonly Migration[];
  /** The variable that the address came from, and how long a server that is not there yet is waited for, default not at all. */
  variable?: string;
  withinMs?: number;
}

const logger = new Logger('Migrations');

/**
 * Applies what is not applied yet, in the order given, each in a transaction of its own together with its
 * record in `<schema>.migrations`. Migrators that start at the same time take turns: each step runs once.
 *
 * @returns the names applied now
 * @throws Error naming the step that failed (those before it stay applied), or one whose SQL was changed
 *   after it was applied
 */
export async function migrate(plan: MigratePlan): Promise<string[]> {
  refuseRepeatedNames(plan.migrations);
  const { connectionString, ssl } = postgresConnection(plan);
  const source = new DataSource({
    type: 'postgres',
    url: connectionString,
    ssl,
    poolSize: 1,
    connectTimeoutMS: 10_000,
    installExtensions: false,
    applicationName: `gatehouse-migrate-${plan.schema}`,
  });
  await awaitPostgres(() => source.initialize(), plan);
  const runner = source.createQueryRunner();
  const lock = `hashtextextended(${literal(`gatehouse migrations of ${plan.schema}`)}, 0)`;
  try {
    await runner.query(`SELECT pg_advisory_lock(${lock})`);
    return await applyMissing(runner, plan);
  } finally {
    // The lock is the session's: it goes with the connection, whatever has happened to that.
    await runner.release();
    await source.destroy();
  }
}

async function applyMissing(runner: QueryRunner, plan: MigratePlan): Promise<string[]> {
  const table = `${identifier(plan.schema)}.migrations`;
  await asOwner(runner, plan, async () => {
    await runner.query(`CREATE TABLE IF NOT EXISTS ${table} (
      name text PRIMARY KEY,
      checksum text,
      applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )`);
    await revokeWrites(runner, plan);
  });
  const applied = new Map(
    (
      (await asOwner(runner, plan, () => runner.query(`SELECT name, checksum FROM ${table}`))) as {
        name: string;
        checksum: string | null;
      }[]
    ).map((row) => [row.name, row.checksum]),
  );
  const now: string[] = [];
  for (const migration of plan.migrations) {
    const checksum = checksumOf(migration);
    const known = applied.get(migration.name);
    if (known === undefined) {
      await apply(runner, plan, migration, checksum);
      now.push(migration.name);
    } else if (known !== null && checksum !== null && known !== checksum) {
      throw new Error(`migration ${migration.name} was changed after it had been applied`);
    }
  }
  return now;
}

async function apply(
  runner: QueryRunner,
  plan: MigratePlan,
  migration: Migration,
  checksum: string | null,
): Promise<void> {
  try {
    await asOwner(runner, plan, async () => {
      if (typeof migration.up === 'string') await runner.query(migration.up);
      else await migration.up(runner);
      await runner.query(
        `INSERT INTO ${identifier(plan.schema)}.migrations (name, checksum) VALUES ($1, $2)`,
        [migration.name, checksum],
      );
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`migration ${migration.name} of ${plan.schema} failed: ${why}`, { cause });
  }
  logger.log(`applied ${migration.name} to ${plan.schema}`);
}

async function asOwner<T>(
  runner: QueryRunner,
  plan: MigratePlan,
  fn: () => Promise<T>,
): Promise<T> {
  await runner.startTransaction();
  try {
    await runner.query(`SET LOCAL ROLE ${identifier(plan.owner ?? `${plan.schema}_owner`)}`);
    await runner.query(`SET LOCAL search_path = ${identifier(plan.schema)}`);
    const result = await fn();
    await runner.commitTransaction();
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

/** A service may read how far its schema is, and not say so itself. */
async function revokeWrites(runner: QueryRunner, plan: MigratePlan): Promise<void> {
  const app = `${plan.schema}_app`;
  const [role] = (await runner.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [
    app,
  ])) as unknown[];
  if (!role) return;
  const table = `${identifier(plan.schema)}.migrations`;
  await runner.query(`REVOKE INSERT, UPDATE, DELETE ON ${table} FROM ${identifier(app)}`);
}

function refuseRepeatedNames(migrations: readonly Migration[]): void {
  const seen = new Set<string>();
  for (const { name } of migrations) {
    if (seen.has(name)) throw new Error(`two migrations have the name ${name}`);
    seen.add(name);
  }
}
