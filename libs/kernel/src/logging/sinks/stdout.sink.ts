import { constants, openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { isatty } from 'node:tty';

import { LineBuffer } from './line-buffer.ts';
import type { LogSink, SinkObserver } from './log-sink.ts';

/** A reader that has stopped is looked after ten times a second, one that is gone once. */
const STALLED_RETRY_MS = 100;
const FAILED_RETRY_MS = 1000;
const CHUNK_BYTES = 64 * 1024;

export interface StdoutOptions {
  maxBytes: number;
  /** Default: this process's own. */
  fd?: number;
  /** Makes what is written of a line; default: the line itself. */
  format?: (line: string) => string;
}

/**
 * Standard output. A line is written as it is logged, so that whatever ends the process, it is out. The descriptor does not
 * block: what a full pipe does not take waits in memory, up to `maxBytes`, and is written in order once somebody reads.
 */
export class StdoutSink implements LogSink {
  readonly name = 'stdout';
  readonly #buffer: LineBuffer;
  readonly #fd: number;
  readonly #format: (line: string) => string;
  /** What is left of a chunk that was taken in part. */
  #rest: Buffer | undefined;
  #waiting = false;
  #failing = false;

  constructor(
    { maxBytes, fd = nonBlockingStdout(), format = (line) => line }: StdoutOptions,
    private readonly observer: SinkObserver,
  ) {
    this.#buffer = new LineBuffer(maxBytes, (lines) => observer.dropped(this.name, lines));
    this.#fd = fd;
    this.#format = format;
  }

  write(line: string): void {
    const text = this.#format(line);
    if (this.#stalled) this.#buffer.push(text);
    else if (!this.#put(Buffer.from(text))) this.#tryLater();
  }

  async flush(): Promise<void> {
    while (this.#stalled) await new Promise((resolve) => setTimeout(resolve, STALLED_RETRY_MS / 4));
  }

  flushSync(limitMs: number): void {
    const until = performance.now() + limitMs;
    while (!this.#drain() && performance.now() < until) pause(10);
  }

  get #stalled(): boolean {
    return this.#rest !== undefined || this.#buffer.length > 0;
  }

  /** @returns whether all of it was taken; the rest is kept */
  #put(bytes: Buffer): boolean {
    this.#rest = bytes;
    try {
      while (this.#rest.length > 0)
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
      this.#rest = undefined;
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#fail(error);
      return false;
    }
  }

  /** @returns whether all that waited was taken */
  #drain(): boolean {
    if (this.#rest !== undefined && !this.#put(this.#rest)) return false;
    while (this.#buffer.length > 0) {
      if (!this.#put(Buffer.from(this.#buffer.take(CHUNK_BYTES).join('')))) return false;
    }
    const dropped = this.#buffer.takeDropped();
    const told = this.#failing || dropped > 0;
    this.#failing = false;
    if (told) this.observer.recovered(this.name, dropped);
    return true;
  }

  #tryLater(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(
      () => {
        this.#waiting = false;
        if (!this.#drain()) this.#tryLater();
      },
      this.#failing ? FAILED_RETRY_MS : STALLED_RETRY_MS,
    ).unref();
  }

  #fail(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.observer.failing(this.name, error);
  }
}

/**
 * A descriptor of standard output on which a write never waits. Pipes and sockets: Node makes them so as soon as anybody
 * asks for `process.stdout`. A terminal is opened a second time: one that was stopped (Ctrl-S) would block, too.
 */
export function nonBlockingStdout(): number {
  if (!isatty(1)) {
    // Asked for, and not used: `fd` is what it made of descriptor 1.
    return (process.stdout as { fd?: number }).fd ?? 1;
  }
  try {
    return openSync(
      '/proc/self/fd/1',
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
  } catch {
    return 1;
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
