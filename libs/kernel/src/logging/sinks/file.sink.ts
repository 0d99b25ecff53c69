import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ConfigError } from '../../config/config-error.ts';
import { LineBuffer } from './line-buffer.ts';
import type { LogSink, SinkObserver } from './log-sink.ts';

const CHUNK_BYTES = 64 * 1024;
const RETRY_MS = 1000;
/** Its owner's, and readable by a group that collects logs. */
const MODE = 0o640;

export interface FileOptions {
  path: string;
  /** The file is rotated before it grows beyond this. */
  fileBytes: number;
  /** How many older files are kept: `auth.log.1` is the latest of them. */
  keep: number;
  /** Of lines that wait to be written. */
  maxBytes: number;
}

interface OpenFile {
  handle: FileHandle;
  bytes: number;
}

/**
 * A file that is rotated by its size. Written in the background, many lines at a time, so that a disk that is slow or full
 * keeps nobody waiting.
 */
export class FileSink implements LogSink {
  readonly name = 'file';
  readonly #buffer: LineBuffer;
  #file: OpenFile | undefined;
  /** What is left of a chunk that was written in part. */
  #rest: Buffer = Buffer.alloc(0);
  #writing: Promise<void> | undefined;
  #failing = false;

  /** @throws ConfigError where the file cannot be written, so that a start with a wrong path does not go unnoticed */
  constructor(
    private readonly options: FileOptions,
    private readonly observer: SinkObserver,
  ) {
    try {
      mkdirSync(dirname(options.path), { recursive: true });
      closeSync(openSync(options.path, 'a', MODE));
    } catch (error) {
      const problem = `${options.path} cannot be written: ${(error as Error).message}`;
      throw new ConfigError([{ variable: 'LOG_FILE', problem, example: '/var/log/{service}.log' }]);
    }
    this.#buffer = new LineBuffer(options.maxBytes, (lines) => observer.dropped(this.name, lines));
  }

  write(line: string): void {
    this.#buffer.push(line);
    this.#writing ??= this.#writeAll();
  }

  /** Closes the file; a line that comes later opens it again. */
  async flush(): Promise<void> {
    await this.#writing;
    await this.#close();
  }

  /** What is on its way at this moment is finished by the system, behind these lines. */
  flushSync(): void {
    const lines = this.#buffer.take(Number.POSITIVE_INFINITY);
    if (lines.length === 0) return;
    try {
      appendFileSync(this.options.path, lines.join(''), { mode: MODE });
    } catch {
      this.#buffer.drop(lines.length);
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#rest.length > 0 || this.#buffer.length > 0) {
      try {
        if (this.#rest.length === 0) await this.#begin(this.#buffer.take(CHUNK_BYTES));
        await this.#append();
        if (this.#buffer.length === 0) this.#recover();
      } catch (error) {
        await this.#fail(error);
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
    this.#writing = undefined;
  }

  /** A new chunk may begin a new file; one that was written in part goes on where it is. */
  async #begin(lines: readonly string[]): Promise<void> {
    this.#rest = Buffer.from(lines.join(''));
    const { bytes } = await this.#opened();
    if (bytes > 0 && bytes + this.#rest.length > this.options.fileBytes) await this.#rotate();
  }

  async #append(): Promise<void> {
    const file = await this.#opened();
    while (this.#rest.length > 0) {
      const { bytesWritten } = await file.handle.write(this.#rest);
      file.bytes += bytesWritten;
      this.#rest = this.#rest.subarray(bytesWritten);
    }
  }

  async #opened(): Promise<OpenFile> {
    return (this.#file ??= await this.#open());
  }

  async #open(): Promise<OpenFile> {
    const handle = await open(this.options.path, 'a', MODE);
    return { handle, bytes: (await handle.stat()).size };
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.options;
    await this.#close();
    await rm(`${path}.${keep}`, { force: true });
    for (let i = keep - 1; i >= 1; i -= 1) await renameIfThere(`${path}.${i}`, `${path}.${i + 1}`);
    if (keep > 0) await renameIfThere(path, `${path}.1`);
    else await rm(path, { force: true });
  }

  async #close(): Promise<void> {
    const { handle } = this.#file ?? {};
    this.#file = undefined;
    await handle?.close();
  }

  async #fail(error: unknown): Promise<void> {
    if (!this.#failing) this.observer.failing(this.name, error);
    this.#failing = true;
    // Opened anew the next time: the folder may have been moved, or the disk mounted again.
    await this.#close().catch(() => undefined);
  }

  #recover(): void {
    const dropped = this.#buffer.takeDropped();
    const told = this.#failing || dropped > 0;
    this.#failing = false;
    if (told) this.observer.recovered(this.name, dropped);
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}
