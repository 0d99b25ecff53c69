import process from 'node:process';

import { PinoLogger } from 'nestjs-pino';

import { ConfigError } from '../config/config-error.ts';
import { ServiceInfo } from '../service/service-info.ts';
import { oneSafeLine } from './logger.ts';
import { redact } from './redact.ts';
import { StdoutSink } from './sinks/stdout.sink.ts';

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
      ...identity(),
      err: redact(error),
      msg: message,
    };
    writeLast(`${oneSafeLine(JSON.stringify(line))}\n`);
  }
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
}

/** Who the process is, as far as that can be told: its package.json may be what is wrong. */
function identity(): object {
  try {
    const { name, version, instanceId } = new ServiceInfo();
    return { service: name, version, instance: instanceId };
  } catch {
    return {};
  }
}

/** To a reader that may have stopped, from a process that is about to end. */
function writeLast(line: string): void {
  const nobody = () => undefined;
  const sink = new StdoutSink(
    { maxBytes: line.length * 4 },
    { dropped: nobody, failing: nobody, recovered: nobody },
  );
  sink.write(line);
  sink.flushSync(500);
}
