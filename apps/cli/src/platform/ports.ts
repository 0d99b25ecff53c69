import { createServer } from 'node:net';
import { randomInt } from 'node:crypto';

/** A port that something else holds. */
export class PortTaken extends Error {
  constructor(
    readonly port: number,
    what: string,
    variable: string,
  ) {
    super(
      `port ${port}, which ${what} listens on, is taken by another program.\n` +
        `Stop that program, or choose another port: ${variable}=${port + 1000} npm start`,
    );
  }
}

export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @throws PortTaken */
export async function refuseTakenPort(port: number, what: string, variable: string): Promise<void> {
  if (!(await isFree(port))) throw new PortTaken(port, what, variable);
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
