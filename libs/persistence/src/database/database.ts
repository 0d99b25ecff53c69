import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import {
  DataSource,
  type EntityManager,
  type EntityTarget,
  type ObjectLiteral,
  type QueryRunner,
  type Repository,
} from 'typeorm';
import { followAddress } from '../connection/followed-address.ts';
import { OpenTransaction, openTransaction, type Transaction } from '../transactions/transaction.ts';
import { TransactionHooks } from '../transactions/transaction-hooks.ts';
import { DatabaseUnavailable, isOrderConflict, toCallerError } from './database-error.ts';
import { sourceOptions, type DatabaseOptions } from './database.options.ts';
import { DatabaseTally } from './database-tally.ts';
import { databaseAttributes, inStatementSpan } from './statement-span.ts';

export interface TransactionOptions {
  /** Default READ COMMITTED. */
  isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /** Nothing may be written; hooks of writing transactions (audit, idempotency) do not run. */
  readOnly?: boolean;
}

const ATTEMPTS = 5;
const STRICTNESS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'];

/**
 * A service's own schema: its connection pool and its transactions. Everything asked of it inside a
 * transaction goes through that transaction's connection.
 *
 * @throws ServiceUnavailable, with `retryAfterSeconds`, when the pool is exhausted or the database away
 */
export class Database {
  readonly dataSource: DataSource;
  private readonly logger = new Logger(Database.name);
  private connecting: Promise<unknown> | undefined;
  private readonly attributes;
  /** For metrics. */
  readonly tally = new DatabaseTally();

  constructor(
    readonly options: DatabaseOptions,
    readonly hooks: TransactionHooks = new TransactionHooks(),
  ) {
    this.dataSource = new DataSource(sourceOptions(options));
    this.attributes = databaseAttributes(options.url, options.schema);
    this.mapConnectionErrors();
  }

  get schema(): string {
    return this.options.schema;
  }

  /** Opens the pool; a second call waits for the first. Statements open it by themselves where nobody has (commands). */
  async connect(): Promise<void> {
    this.connecting ??= this.open().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    await this.connecting;
  }

  /** Waits for borrowed connections and closes them all. */
  async close(): Promise<void> {
    if (!this.connecting) return;
    await this.connecting.catch(() => undefined);
    this.connecting = undefined;
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  /** The current transaction's manager, else the pool's. */
  get manager(): EntityManager {
    return openTransaction()?.manager ?? this.dataSource.manager;
  }

  repository<E extends ObjectLiteral>(entity: EntityTarget<E>): Repository<E> {
    return this.manager.getRepository(entity);
  }

  /**
   * One statement, with `$1` parameters; raw rows, no hydration. `bigint` arrives as a number, `timestamptz`
   * as a Date. What it throws is pg's own error (`sqlState`), but for an unreachable database.
   */
  async query<R = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    const transaction = openTransaction();
    if (transaction) return (await transaction.query(sql, parameters)) as R[];
    await this.connect();
    const result = await this.traced(sql, () => this.pool.query(sql, parameters).catch(rethrow));
    return result.rows as R[];
  }

  /**
   * Runs `fn` in a transaction and commits; rolls back what threw. Inside a transaction it joins that one.
   * Repeats `fn` as `@Transactional` says.
   */
  async transaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    const outer = openTransaction();
    return outer ? this.join(outer, fn, options) : this.outermost(fn, options);
  }

  /** Connections of the pool. */
  get connections(): { total: number; idle: number; waiting: number; max: number } {
    if (!this.dataSource.isInitialized) {
      return { total: 0, idle: 0, waiting: 0, max: this.options.poolSize };
    }
    const { totalCount, idleCount, waitingCount } = this.pool;
    return {
      total: totalCount,
      idle: idleCount,
      waiting: waitingCount,
      max: this.options.poolSize,
    };
  }

  private async open(): Promise<void> {
    await this.dataSource.initialize();
    followAddress(this.pool, this.options);
  }

  private get pool(): pg.Pool {
    return this.driver.master;
  }

  private get driver(): PostgresInternals {
    return this.dataSource.driver as unknown as PostgresInternals;
  }

  private traced<T>(sql: string, run: () => Promise<T>): Promise<T> {
    return this.tally.timed(sql, () => inStatementSpan(this.attributes, sql, run));
  }

  /** TypeORM's own statements, too, say DatabaseUnavailable. */
  private mapConnectionErrors(): void {
    const { driver } = this;
    const obtain = driver.obtainMasterConnection.bind(driver);
    driver.obtainMasterConnection = () => obtain().catch(rethrow);
    const create = driver.createQueryRunner.bind(driver);
    driver.createQueryRunner = (mode) => {
      const runner = create(mode);
      const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
      runner.query = (...args: unknown[]) =>
        this.traced(String(args[0]), () => query(...args).catch(rethrow)) as never;
      return runner;
    };
  }

  private async join<T>(
    outer: OpenTransaction,
    fn: (tx: Transaction) => Promise<T>,
    { isolation = 'READ COMMITTED' }: TransactionOptions,
  ): Promise<T> {
    if (STRICTNESS.indexOf(isolation) > STRICTNESS.indexOf(outer.isolation)) {
      throw new Error(`a ${isolation} transaction cannot join one that is ${outer.isolation}`);
    }
    try {
      return await fn(outer);
    } catch (error) {
      outer.fail(error);
      throw error;
    }
  }

  private async outermost<T>(
    fn: (tx: Transaction) => Promise<T>,
    options: TransactionOptions,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(fn, options);
      const { transactions } = this.tally;
      if ('result' in outcome) {
        transactions.committed += 1;
        return outcome.result;
      }
      const { error, repeatable } = outcome;
      if (!repeatable || attempt >= ATTEMPTS) {
        transactions.rolled_back += 1;
        throw toCallerError(error);
      }
      transactions.repeated += 1;
      this.logger.debug(`attempt ${attempt} of a transaction is repeated: ${String(error)}`);
      await sleep(Math.random() * 10 * 2 ** attempt);
    }
  }

  private async attempt<T>(
    fn: (tx: Transaction) => Promise<T>,
    { isolation = 'READ COMMITTED', readOnly = false }: TransactionOptions,
  ): Promise<Outcome<T>> {
    const runner = this.dataSource.createQueryRunner();
    let connection: pg.PoolClient;
    try {
      await this.connect();
      connection = (await runner.connect()) as pg.PoolClient;
    } catch (error) {
      await runner.release();
      // Nothing has run: but neither is there a reason to hope that it will at once.
      return { error, repeatable: false };
    }
    const tx = new OpenTransaction(runner.manager, isolation, async (sql, parameters) => {
      const result = await this.traced(sql, () => connection.query(sql, parameters).catch(rethrow));
      return result.rows as unknown[];
    });
    const outcome = await this.workAndCommit(runner, connection, tx, fn, { isolation, readOnly });
    tx.ended = true;
    if ('error' in outcome) await rollback(connection);
    await runner.release();
    await tx.runAfter('result' in outcome ? 'commit' : 'rollback');
    return outcome;
  }

  private async workAndCommit<T>(
    runner: QueryRunner,
    connection: pg.PoolClient,
    tx: OpenTransaction,
    fn: (tx: Transaction) => Promise<T>,
    { isolation, readOnly }: Required<TransactionOptions>,
  ): Promise<Outcome<T>> {
    let committing = false;
    try {
      await runner.startTransaction(isolation === 'READ COMMITTED' ? undefined : isolation);
      if (readOnly) await runner.query('SET TRANSACTION READ ONLY');
      const result = await tx.run(async () => {
        const work = () => fn(tx);
        const answer = readOnly ? await work() : await this.hooks.run(tx, work);
        tx.throwFailure();
        await tx.runBeforeCommit();
        tx.throwFailure();
        return answer;
      });
      committing = true;
      // PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error.
      const { command } = await this.traced('COMMIT', () => connection.query('COMMIT'));
      if (command !== 'COMMIT') throw new SwallowedFailure();
      return { result };
    } catch (error) {
      // A lost COMMIT may have taken effect: it is not repeated. A serialization failure has not.
      const repeatable =
        isOrderConflict(error) || (error instanceof DatabaseUnavailable && !committing);
      return { error, repeatable };
    }
  }
}

/** What is used of TypeORM's driver beyond its interface. */
interface PostgresInternals {
  master: pg.Pool;
  obtainMasterConnection: () => Promise<unknown>;
  createQueryRunner: (mode: 'master' | 'slave') => QueryRunner;
}

type Outcome<T> = { result: T } | { error: unknown; repeatable: boolean };

/** A statement failed, its error was caught, and the transaction went on as if it could still commit. */
class SwallowedFailure extends Error {
  constructor() {
    super(
      'a statement of the transaction failed and its error was swallowed: nothing was committed',
    );
  }
}

function rethrow(error: unknown): never {
  throw toCallerError(error);
}

async function rollback(connection: pg.PoolClient): Promise<void> {
  try {
    await connection.query('ROLLBACK');
  } catch {
    // Of no further use: once ended, the pool does not take it back.
    await (connection as unknown as pg.Client).end().catch(() => undefined);
  }
}
