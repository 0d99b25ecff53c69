import {
  copyFileSync,
  existsSync,
  openSync,
  closeSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  appendFileSync,
} from 'node:fs';
import { join } from 'node:path';

export interface RotationOptions {
  /** A file larger than this is rotated. Default 20 MiB. */
  maxBytes?: number;
  /** Older ones that are kept: `auth.log.1` is the latest. Default 3. */
  keep?: number;
}

/**
 * Rotates every `*.log` of a folder that has grown too large. The processes hold their files open for appending and go
 * on with an empty one: a file is copied, what was written meanwhile is added to the copy, and then it is emptied.
 * A line written within the last step itself (microseconds) is lost.
 */
export function rotateLogs(
  folder: string,
  { maxBytes = 20 * 1024 ** 2, keep = 3 }: RotationOptions = {},
): string[] {
  const large = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).size > maxBytes);
  for (const file of large) rotate(file, keep);
  return large;
}

function rotate(file: string, keep: number): void {
  rmSync(`${file}.${keep}`, { force: true });
  for (let i = keep - 1; i >= 1; i--) {
    if (existsSync(`${file}.${i}`)) renameSync(`${file}.${i}`, `${file}.${i + 1}`);
  }
  copyFileSync(file, `${file}.1`);
  const copied = statSync(`${file}.1`).size;
  const since = readFrom(file, copied);
  if (since.length > 0) appendFileSync(`${file}.1`, since);
  truncateSync(file);
}

function readFrom(file: string, start: number): Buffer {
  const handle = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, statSync(file).size - start));
    return buffer.subarray(0, readSync(handle, buffer, 0, buffer.length, start));
  } finally {
    closeSync(handle);
  }
}
