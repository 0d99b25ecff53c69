import { AsyncLocalStorage } from 'node:async_hooks';
import { dirname } from 'node:path';
import process from 'node:process';

/**
 * What differs between two services started in one process (tests), and is the process's own otherwise: the environment,
 * the folder of the service's package.json, and where log lines go. In force while a service's providers are made.
 */
export interface ProcessScope {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the search for the service's package.json begins. */
  readonly packageDir: string;
}

const storage = new AsyncLocalStorage<ProcessScope>();

/** The scope of the service being created, else the process itself. */
export function currentScope(): ProcessScope {
  return (
    storage.getStore() ?? {
      env: process.env,
      packageDir: process.argv[1] === undefined ? process.cwd() : dirname(process.argv[1]),
    }
  );
}

export function runInScope<T>(scope: ProcessScope, fn: () => T): T {
  return storage.run(scope, fn);
}
