import { Inject } from '@nestjs/common';
import 'reflect-metadata';
import { Database, type TransactionOptions } from '../database/database.ts';

const DATABASE = '__gatehouseDatabase';

/**
 * Runs the method of a Nest provider in a transaction, or in the caller's where there is one (which it then
 * joins: its failure rolls back the whole). The transaction is carried by AsyncLocalStorage: repositories of
 * `Database` and `currentTransaction()` find it.
 *
 * The method may run more than once: a serialization failure, a deadlock or a lost connection repeats it from
 * the start, at most four times. Effects outside the database belong into `afterCommit`.
 */
export function Transactional(options: TransactionOptions = {}) {
  return <T extends (...args: never[]) => Promise<unknown>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): void => {
    const method = descriptor.value;
    if (!method) throw new Error(`@Transactional() belongs on a method: ${String(name)}`);
    if (!Object.hasOwn(target, DATABASE)) {
      Object.defineProperty(target, DATABASE, { value: undefined, writable: true });
      Inject(Database)(target, DATABASE);
    }
    const wrapped = function (this: Record<string, Database | undefined>, ...args: never[]) {
      const database = this[DATABASE];
      if (!database) {
        const where = `${target.constructor.name}.${String(name)}`;
        throw new Error(
          `@Transactional() ${where}: its class is not a provider of Nest's container`,
        );
      }
      return database.transaction(() => method.apply(this, args), options);
    };
    Object.defineProperty(wrapped, 'name', { value: method.name });
    // Decorators below this one have put their metadata on the method itself.
    for (const key of Reflect.getOwnMetadataKeys(method)) {
      Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapped);
    }
    descriptor.value = wrapped as unknown as T;
  };
}
