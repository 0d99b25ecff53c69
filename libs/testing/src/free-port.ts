import { createServer } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that was free a moment ago. The kernel hands ports out in turn, so that
 * the same one is not given twice in quick succession; a program that can bind port 0 itself should.
 */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.unref();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no TCP address'));
        else resolve(address.port);
      });
    });
  });
}
