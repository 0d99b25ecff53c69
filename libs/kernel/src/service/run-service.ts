import process from 'node:process';

import { type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ConfigError } from '../config/config-error.ts';
import { KernelConfig } from '../config/kernel.config.ts';
import { runInScope } from '../config/process-scope.ts';
import { CommandRegistry } from '../lifecycle/command-registry.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { fatal } from '../logging/fatal.ts';
import { ServiceLogger } from '../logging/service-logger.ts';
import { type MadeService, makeService, NEST_OPTIONS, scopeOf } from './create-service.ts';
import { releaseStartMemory } from './start-memory.ts';

/** sysexits.h: EX_USAGE for an unknown command, EX_CONFIG for a configuration that no restart can mend. */
const EXIT = { ok: 0, failed: 1, usage: 64, config: 78 };

/**
 * The whole of a service's main.ts. `node main.js` serves until SIGTERM, SIGINT or the end of the launcher that started it
 * over an IPC channel; a second signal ends it at once. `node main.js <command> ...` runs a registered command instead.
 * An error that nobody caught is logged with its reason, then the process stops in order and exits with 1.
 * Exit codes: 0, 1 (failed), 64 (no such command), 78 (configuration).
 */
export async function runService(module: Type): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  await runInScope(scopeOf({}), () =>
    command === undefined ? serve(module) : runCommand(module, command, args),
  );
}

async function serve(module: Type): Promise<void> {
  const state: { stopping: boolean; service?: MadeService } = { stopping: false };

  const stop = async (code: number) => {
    if (state.stopping) return;
    state.stopping = true;
    if (state.service === undefined) process.exit(code);
    setTimeout(() => {
      fatal('the stop took too long');
      process.exit(EXIT.failed);
    }, limitOfStop()).unref();
    await state.service.stop();
    process.exit(code);
  };
  const onSignal = () => {
    if (state.stopping) process.exit(EXIT.failed);
    void stop(EXIT.ok);
  };
  const onUncaught = (error: unknown, origin: string) => {
    fatal(`${origin}: stopping`, error);
    void stop(EXIT.failed);
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  if (process.connected) process.on('disconnect', onSignal);
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', (reason) => onUncaught(reason, 'unhandledRejection'));

  try {
    const service = await makeService(module);
    state.service = service;
    service.app.get(Lifecycle).onStart('transports', 'memory', releaseStartMemory);
    await service.start();
    const { httpUrl, grpcAddress, adminUrl } = service;
    process.send?.({ type: 'ready', httpUrl, grpcAddress, adminUrl });
  } catch (error) {
    if (state.stopping) return;
    fatal('the start failed', error);
    process.exit(error instanceof ConfigError ? EXIT.config : EXIT.failed);
  }
}

async function runCommand(module: Type, name: string, args: string[]): Promise<void> {
  let app: INestApplicationContext | undefined;
  try {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class
    app = await NestFactory.createApplicationContext(module, NEST_OPTIONS);
    app.useLogger(app.get(ServiceLogger));
    app.flushLogs();
    const commands = app.get(CommandRegistry);
    const command = commands.find(name);
    if (command === undefined) {
      const known = commands.list().map((each) => `  ${each.name}  ${each.description}`);
      process.stderr.write([`There is no command ${name}. There are:`, ...known, ''].join('\n'));
      process.exitCode = EXIT.usage;
    } else {
      await command.run(args);
    }
  } catch (error) {
    fatal(`the command ${name} failed`, error);
    process.exitCode = error instanceof ConfigError ? EXIT.config : EXIT.failed;
  } finally {
    await app?.close();
  }
  // A command may leave a pool open; its work is done.
  process.exit();
}

function limitOfStop(): number {
  const { SHUTDOWN_TIMEOUT_SECONDS, SHUTDOWN_DRAIN_SECONDS } = new KernelConfig();
  return (SHUTDOWN_TIMEOUT_SECONDS + SHUTDOWN_DRAIN_SECONDS + 10) * 1000;
}
