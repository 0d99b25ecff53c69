import process from 'node:process';

import { Logger, type Type } from '@nestjs/common';

import { ConfigError } from '../config/config-error.ts';
import { KernelConfig } from '../config/kernel.config.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { fatal } from '../logging/fatal.ts';
import { flushLogs } from '../logging/log-destination.ts';
import { type MadeService, makeService } from './create-service.ts';
import { EXIT } from './exit-codes.ts';
import { releaseStartMemory } from './start-memory.ts';

/** A terminal's Ctrl-C reaches a process by several ways at once; what comes later than this is meant. */
const SECOND_THOUGHT_MS = 1000;

/**
 * Runs a service until it is told to stop, then ends the process. Told by SIGTERM, SIGINT or the end of the launcher that
 * holds the other end of its IPC channel; SIGINT again ends it at once. An error that nobody caught is logged and stops it.
 * Tells a launcher `{ type: 'ready', httpUrl, grpcAddress, adminUrl }` over that channel.
 */
export async function serve(module: Type): Promise<void> {
  const state: { stoppingSince?: number; service?: MadeService } = {};

  const stop = async (reason: string, code: number) => {
    if (state.stoppingSince !== undefined) return;
    state.stoppingSince = performance.now();
    if (state.service === undefined) process.exit(code);
    new Logger('Service').log(`stopping: ${reason}`);
    setTimeout(() => {
      fatal('the stop took too long');
      process.exit(EXIT.failed);
    }, limitOfStop()).unref();
    await state.service.stop();
    await flushLogs();
    process.exit(code);
  };
  const onUncaught = (origin: string) => (error: unknown) => {
    fatal(`${origin}: stopping`, error);
    void stop(origin, EXIT.failed);
  };

  process.on('SIGTERM', () => void stop('SIGTERM', EXIT.ok));
  process.on('SIGINT', () => {
    const since = state.stoppingSince;
    if (since !== undefined && performance.now() - since > SECOND_THOUGHT_MS) {
      process.exit(EXIT.failed);
    }
    void stop('SIGINT', EXIT.ok);
  });
  if (process.connected) process.on('disconnect', () => void stop('launcher gone', EXIT.ok));
  process.on('uncaughtException', onUncaught('uncaught exception'));
  process.on('unhandledRejection', onUncaught('unhandled rejection'));

  logWarnings();

  try {
    const service = await makeService(module);
    state.service = service;
    service.app.get(Lifecycle).onStart('transports', 'memory', releaseStartMemory);
    await service.start();
    const { httpUrl, grpcAddress, adminUrl } = service;
    process.send?.({ type: 'ready', httpUrl, grpcAddress, adminUrl });
  } catch (error) {
    // Stopped while starting: `stop` ends the process.
    if (state.stoppingSince !== undefined) return;
    fatal('the start failed', error);
    await flushLogs();
    process.exit(error instanceof ConfigError ? EXIT.config : EXIT.failed);
  }
}

/** Node's own warnings, which it would write to stderr in a form of its own. */
function logWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => new Logger('Node').warn({ err: warning }, 'Node warns'));
}

function limitOfStop(): number {
  const { SHUTDOWN_TIMEOUT_SECONDS, SHUTDOWN_DRAIN_SECONDS } = new KernelConfig();
  return (SHUTDOWN_TIMEOUT_SECONDS + SHUTDOWN_DRAIN_SECONDS + 10) * 1000;
}
