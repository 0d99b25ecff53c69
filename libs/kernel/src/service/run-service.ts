import process from 'node:process';

import type { Type } from '@nestjs/common';

import { runInScope } from '../config/process-scope.ts';
import { scopeOf } from './create-service.ts';
import { runCommand } from './run-command.ts';
import { serve } from './serve.ts';

/**
 * The whole of a service's main.ts. `node main.js` serves until it is told to stop; `node main.js <command> ...` runs a
 * registered command instead. Exit codes: 0, 1 (failed), 64 (no such command), 78 (configuration).
 */
export async function runService(module: Type): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  await runInScope(scopeOf({}), () =>
    command === undefined ? serve(module) : runCommand(module, command, args),
  );
}
