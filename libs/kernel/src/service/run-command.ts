import process from 'node:process';

import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ConfigError } from '../config/config-error.ts';
import { CommandRegistry } from '../lifecycle/command-registry.ts';
import { fatal } from '../logging/fatal.ts';
import { flushLogs } from '../logging/log-destination.ts';
import { ServiceLogger } from '../logging/service-logger.ts';
import { NEST_OPTIONS } from './create-service.ts';
import { EXIT } from './exit-codes.ts';

/** Runs one registered command in the service's container, without listeners or phases, then ends the process. */
export async function runCommand(module: Type, name: string, args: string[]): Promise<void> {
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
    await flushLogs();
  }
  // A command may leave a pool open; its work is done.
  process.exit();
}
