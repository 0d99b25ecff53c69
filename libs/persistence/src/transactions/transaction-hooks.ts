import { Injectable } from '@nestjs/common';
import type { Transaction } from './transaction.ts';

/** Runs the work of an outermost transaction, or answers in its place. */
export type AroundTransaction = <T>(tx: Transaction, work: () => Promise<T>) => Promise<T>;

/** What libraries do in every outermost, writing transaction of the process. Register at construction. */
@Injectable()
export class TransactionHooks {
  private readonly before: ((tx: Transaction, result: unknown) => Promise<void>)[] = [];
  private readonly around: AroundTransaction[] = [];

  /** Runs inside the transaction after its work, with the result of the outermost `@Transactional` method. */
  onBeforeCommit(fn: (tx: Transaction, result: unknown) => Promise<void>): void {
    this.before.push(fn);
  }

  /** Wraps the work, inside the transaction; the first registered is the outermost. */
  wrap(fn: AroundTransaction): void {
    this.around.push(fn);
  }

  /** @internal */
  run<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
    const inner = async (): Promise<T> => {
      const result = await work();
      for (const fn of this.before) await fn(tx, result);
      return result;
    };
    return this.around.reduceRight<() => Promise<T>>((next, fn) => () => fn(tx, next), inner)();
  }
}
