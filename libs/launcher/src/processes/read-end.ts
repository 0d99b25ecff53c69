import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last complete lines of a text file, at most `bytes` of it; empty where there is no file. */
export function readEnd(file: string, bytes = 4_000): string {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(handle);
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(handle, buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8', 0, read);
    return (start === 0 ? text : text.slice(text.indexOf('\n') + 1)).trim();
  } finally {
    closeSync(handle);
  }
}
