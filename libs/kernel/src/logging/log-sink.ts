import type { DestinationStream } from 'pino';

let sink: DestinationStream | undefined;

/**
 * Sends the log lines of this process elsewhere: tests read them there. nestjs-pino keeps one logger a process, so this must
 * be set before the first service of the process is made; what the sink does may change at any time.
 */
export function setLogSink(destination: DestinationStream): void {
  sink = destination;
}

export function logSink(): DestinationStream | undefined {
  return sink;
}
