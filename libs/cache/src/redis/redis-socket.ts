import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import type { RedisSettings } from './redis-settings.ts';

/** Something answers at the address, and it is not Redis. */
export class NotRedis extends Error {
  override readonly name = 'NotRedis';
}

/** For the connection timeout of sockets: TCP and TLS together. */
export const CONNECT_TIMEOUT_MS = 2_000;

/** As `node:net` and `node:tls` take them. */
export function socketOptions({ host, port, tls }: RedisSettings) {
  const at = { host, port };
  if (tls === undefined) return at;
  const { ca, cert, key } = tls;
  return {
    ...at,
    tls: true as const,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  };
}

/**
 * Looks whether what answers speaks the protocol, on a socket of its own: the client library waits for ever for the end of
 * an answer that it cannot read.
 * @throws NotRedis, or what the socket failed with
 */
export async function assertSpeaksRedis(settings: RedisSettings): Promise<void> {
  try {
    await sayPing(settings);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof Silence || code === 'ECONNRESET') await assertNotTheOtherWay(settings);
    throw error;
  }
}

/** It took the connection and said nothing. */
class Silence extends Error {
  override readonly name = 'Silence';
}

/** Plain Redis takes a TLS greeting for the beginning of a command and waits; TLS takes a command for noise, and hangs up. */
async function assertNotTheOtherWay(settings: RedisSettings): Promise<void> {
  const secure = settings.tls !== undefined;
  const tls = secure ? undefined : { ca: undefined, cert: undefined, key: undefined };
  const speaks = await sayPing({ ...settings, tls }).then(
    () => true,
    // Whose certificate is not trusted has one.
    (error: unknown) =>
      !secure && /CERT|SIGNATURE|^ERR_/.test((error as NodeJS.ErrnoException).code ?? ''),
  );
  if (speaks) throw new NotRedis(secure ? 'it speaks no TLS' : 'it speaks TLS');
}

function sayPing(settings: RedisSettings): Promise<void> {
  const options = socketOptions(settings);
  return new Promise((resolve, reject) => {
    const socket: Socket = 'tls' in options ? connectTls(options, ask) : connect(options, ask);
    let heard = Buffer.alloc(0);
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      socket.destroy(new Silence(`no answer within ${CONNECT_TIMEOUT_MS} ms`));
    });
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (heard.length === 0) reject(new Silence('the connection was closed without an answer'));
      else if (/^[+-]/.test(heard.toString('latin1'))) resolve();
      else reject(new NotRedis(whatItSaid(heard)));
    });

    function ask(): void {
      socket.write('PING\r\n');
    }
  });
}

function whatItSaid(heard: Buffer): string {
  // A TLS alert: what a TLS server answers to plain text.
  if (heard[0] === 0x15) return 'it speaks TLS';
  const [line = ''] = heard.toString('latin1').split(/\r?\n/, 1);
  return `it said ${JSON.stringify(line.slice(0, 60))}`;
}
