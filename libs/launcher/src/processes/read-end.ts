import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface ReadEndOptions {
  /** Where to begin at the earliest: what was there before is of another run. */
  from?: number;
  /** At most so many, default 12. */
  lines?: number;
}

/** Enough for a stack or two in one line of JSON. */
const MAX_BYTES = 64_000;

/** The last lines of a log for a person to read: JSON lines as level, message and error, others as they are. */
export function readEnd(file: string, { from = 0, lines = 12 }: ReadEndOptions = {}): string {
  return readText(file, from)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-lines)
    .map(readable)
    .join('\n');
}

/** The size of a file; 0 where there is none. */
export function sizeOf(file: string): number {
  return withFile(file, (handle) => fstatSync(handle).size) ?? 0;
}

interface LogLine {
  level?: string;
  msg?: string;
  err?: { message?: string };
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const { level, msg, err } = JSON.parse(line) as LogLine;
    return [level, msg, err?.message].filter((part) => part !== undefined).join(': ');
  } catch {
    return line;
  }
}

function readText(file: string, from: number): string {
  const text = withFile(file, (handle) => {
    const { size } = fstatSync(handle);
    // Smaller than where to begin: it was rotated meanwhile.
    const start = Math.max(from > size ? 0 : from, size - MAX_BYTES);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(handle, buffer, 0, buffer.length, start);
    const tail = buffer.toString('utf8', 0, read);
    return start === 0 || start === from ? tail : tail.slice(tail.indexOf('\n') + 1);
  });
  return text ?? '';
}

function withFile<T>(file: string, work: (handle: number) => T): T | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return undefined;
  }
  try {
    return work(handle);
  } finally {
    closeSync(handle);
  }
}
