import process from 'node:process';

import { PinoLogger } from 'nestjs-pino';

import { ConfigError } from '../config/config-error.ts';
import { redact, redactText } from './redact.ts';

/**
 * Logs why the process ends, at level fatal, also where the logger was never made. A configuration error is told in plain
 * words besides, on stderr: whoever reads it sits at a terminal.
 */
export function fatal(message: string, error?: unknown): void {
  const root = PinoLogger.root as typeof PinoLogger.root | undefined;
  if (root !== undefined) {
    root.fatal({ err: error }, message);
  } else {
    const line = {
      level: 'fatal',
      time: new Date().toISOString(),
      err: redact(error),
      msg: message,
    };
    process.stdout.write(`${redactText(JSON.stringify(line))}\n`);
  }
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
}
