import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** A port that cannot be had. */
export class PortTaken extends Error {
  constructor(port: number, what: string, variable: string, denied: boolean) {
    super(
      denied
        ? `port ${port}, which ${what} listens on, may not be used by this user.\nChoose one above 1023: ${variable}=8080 npm start`
        : `port ${port}, which ${what} listens on, is taken by another program.\n` +
            `Stop that program, or choose another port: ${variable}=${elsewhere(port)} npm start`,
    );
  }
}

export async function isFree(port: number): Promise<boolean> {
  return (await tryPort(port)) === 'free';
}

/** @throws PortTaken */
export async function refuseTakenPort(port: number, what: string, variable: string): Promise<void> {
  const found = await tryPort(port);
  if (found !== 'free') throw new PortTaken(port, what, variable, found === 'denied');
}

async function tryPort(port: number): Promise<'free' | 'taken' | 'denied'> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken');
      else if (error.code === 'EACCES') resolve('denied');
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve('free')),
    );
  });
}

function elsewhere(port: number): number {
  return port + 1000 <= 65_535 ? port + 1000 : port - 1000;
}

/**
 * `preferred` while it is free; else one below those that the system gives to outgoing connections, so that it is still
 * free at the next start.
 */
export async function lastingPort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 30_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port was found between 20000 and 30000');
}
