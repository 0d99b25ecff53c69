import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range from which systems hand out ports by themselves. */
const FIRST = 20_000;
const LAST = 31_000;
const BLOCK = 100;

/**
 * The first port of a block of 100 of which these are free on 127.0.0.1, drawn at random: engines take neighbours of the
 * port they are given, and several sets start at once.
 */
export async function freePortBlock(offsets: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = FIRST + BLOCK * randomInt((LAST - FIRST) / BLOCK);
    const free = await Promise.all(offsets.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no block of free ports between ${FIRST} and ${LAST}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
