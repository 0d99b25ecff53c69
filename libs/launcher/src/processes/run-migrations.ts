import { ServiceProcess, describeExit } from './service-process.ts';

export interface MigrateOptions {
  name: string;
  mainFile: string;
  env: Record<string, string>;
  logFile: string;
  signal?: AbortSignal;
}

/**
 * `node main.js migrate`: brings one service's schema to what its code expects.
 * @throws with what it wrote, where it fails
 */
export async function runMigrations(options: MigrateOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const run = await ServiceProcess.spawn({ ...options, args: ['migrate'] });
  const abort = () => run.signal('SIGTERM');
  options.signal?.addEventListener('abort', abort);
  const exit = await run.exited;
  options.signal?.removeEventListener('abort', abort);
  if (exit.code !== 0) throw run.failure(`could not be migrated: it ${describeExit(exit)}`);
}
