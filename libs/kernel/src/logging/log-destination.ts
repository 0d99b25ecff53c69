import type { DestinationStream } from 'pino';

import type { LogSink } from './sinks/log-sink.ts';

/** What the end of a process may wait for its lines. */
const LAST_MS = 500;
const FLUSH_MS = 2000;

const open = new Set<LogDestination>();

/** Every line, to each sink of this process. */
export class LogDestination implements DestinationStream {
  constructor(private readonly sinks: readonly LogSink[]) {
    if (open.size === 0) process.once('exit', flushAllSync);
    open.add(this);
  }

  write(line: string): void {
    for (const sink of this.sinks) sink.write(line);
  }

  /** Called by pino behind a line of level fatal. */
  flushSync(): void {
    for (const sink of this.sinks) sink.flushSync(LAST_MS);
  }

  async flush(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.flush()));
  }
}

/** Hands over what waits in any sink of this process; gives up after two seconds, and never throws. */
export async function flushLogs(): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, FLUSH_MS).unref());
  const done = Promise.allSettled([...open].map((destination) => destination.flush()));
  await Promise.race([done, late]);
}

function flushAllSync(): void {
  for (const destination of open) destination.flushSync();
}
