import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** One database transaction, as code that runs inside it sees it. */
export interface Transaction {
  readonly manager: EntityManager;
  /**
   * Runs inside the transaction once the work is done, just before COMMIT; lower `order` first, equal ones
   * as registered. Events use 0, audit 10, the change feed 100: its statement must be the last, because its
   * row lock is what makes its numbers follow the order of commits. A hook that throws rolls back.
   */
  beforeCommit(fn: () => Promise<void>, order?: number): void;
  /** Runs after a successful COMMIT, outside the transaction; what it throws is logged. */
  afterCommit(fn: () => Promise<void> | void): void;
  /** Runs after a ROLLBACK, outside the transaction, once for each rolled-back attempt; what it throws is logged. */
  afterRollback(fn: () => Promise<void> | void): void;
  /** For libraries that keep something with the transaction. */
  readonly locals: Map<symbol, unknown>;
}

/** Where a hook stands that names no order: after events and audit entries, before the change feed. */
const DEFAULT_ORDER = 50;

interface Hook {
  order: number;
  fn: () => Promise<void>;
}

const storage = new AsyncLocalStorage<OpenTransaction>();
const logger = new Logger('Transaction');

/** The transaction this code runs in, if any. Work that outlives its transaction is outside of it again. */
export function currentTransaction(): Transaction | undefined {
  return openTransaction();
}

/** @internal */
export function openTransaction(): OpenTransaction | undefined {
  const transaction = storage.getStore();
  return transaction?.ended === false ? transaction : undefined;
}

/** @internal One attempt at a transaction: its hooks go with it. */
export class OpenTransaction implements Transaction {
  readonly locals = new Map<symbol, unknown>();
  ended = false;
  private failure: { error: unknown } | undefined;
  private before: Hook[] = [];
  private readonly committed: (() => Promise<void> | void)[] = [];
  private readonly rolledBack: (() => Promise<void> | void)[] = [];

  constructor(
    readonly manager: EntityManager,
    readonly isolation: string,
    readonly query: (sql: string, parameters?: unknown[]) => Promise<unknown[]>,
  ) {}

  run<T>(fn: () => Promise<T>): Promise<T> {
    return storage.run(this, fn);
  }

  /** A joined method failed: the whole must not commit half of it, even if the failure is caught. */
  fail(error: unknown): void {
    this.failure ??= { error };
  }

  throwFailure(): void {
    if (this.failure) throw this.failure.error;
  }

  beforeCommit(fn: () => Promise<void>, order = DEFAULT_ORDER): void {
    this.before.push({ order, fn });
  }

  afterCommit(fn: () => Promise<void> | void): void {
    this.committed.push(fn);
  }

  afterRollback(fn: () => Promise<void> | void): void {
    this.rolledBack.push(fn);
  }

  /** A hook may register more; each time the lowest order that is left goes next. */
  async runBeforeCommit(): Promise<void> {
    for (;;) {
      const next = this.before.reduce<Hook | undefined>(
        (lowest, hook) => (lowest && lowest.order <= hook.order ? lowest : hook),
        undefined,
      );
      if (!next) return;
      this.before = this.before.filter((hook) => hook !== next);
      await next.fn();
    }
  }

  async runAfter(outcome: 'commit' | 'rollback'): Promise<void> {
    for (const fn of outcome === 'commit' ? this.committed : this.rolledBack) {
      try {
        await storage.exit(fn);
      } catch (error) {
        logger.error({ err: error }, `a hook after ${outcome} failed`);
      }
    }
  }
}
