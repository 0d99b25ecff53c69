import { followVariable } from '@gatehouse/kernel';
import type pg from 'pg';
import { type PostgresAddress, postgresConnection, problemOfUrl } from './postgres-address.ts';

const REFUSED_PASSWORD = '28P01';
/** In all longer than a role's new password takes to hold once it is in the file. */
const TRIES = 6;
const AGAIN_MS = 200;

/** The address of DATABASE_URL, whose file may be given another password while the process runs. */
export function followedAddress({
  DATABASE_URL: url,
  DATABASE_TLS_CA: tlsCa,
}: {
  DATABASE_URL: string;
  DATABASE_TLS_CA?: string | undefined;
}): PostgresAddress {
  const read = followVariable('DATABASE_URL', url);
  const current = () => {
    const now = read();
    return problemOfUrl(now) === undefined ? now : url;
  };
  return { url, tlsCa, current };
}

/**
 * Lets a pool open each connection as the address says at that moment. Connections that are open are not touched: who they
 * are was settled when they were made. A password that is refused is
 * tried again within a second, read anew: it may just be changed.
 */
export function followAddress(pool: pg.Pool, address: PostgresAddress): void {
  if (address.current === undefined) return;
  Object.defineProperty(pool.options, 'connectionString', {
    enumerable: true,
    get: () => postgresConnection(address).connectionString,
  });
  const connect = pool.connect.bind(pool);
  const withCallback = (callback: Callback, triesLeft = TRIES): void =>
    connect((error, client, release) => {
      if (!isRefused(error) || triesLeft === 1) callback(error, client, release);
      else setTimeout(() => withCallback(callback, triesLeft - 1), AGAIN_MS);
    });
  const withPromise = () =>
    new Promise<pg.PoolClient>((resolve, reject) => {
      withCallback((error, client) => {
        if (client) resolve(client);
        else reject(error ?? new Error('no connection'));
      });
    });
  pool.connect = ((callback?: Callback) =>
    callback === undefined ? withPromise() : withCallback(callback)) as pg.Pool['connect'];
}

function isRefused(error: unknown): boolean {
  return (error as { code?: string } | undefined)?.code === REFUSED_PASSWORD;
}

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: Error | boolean) => void,
) => void;
