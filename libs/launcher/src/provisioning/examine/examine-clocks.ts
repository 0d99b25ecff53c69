import type { Finding } from '@gatehouse/kernel';
import { consulOptionsOf } from '@gatehouse/discovery';
import { postgresConnection } from '@gatehouse/persistence';
import pg from 'pg';
import { openConsul } from '../consul/provision-consul.ts';
import type { enginesOfEnvironment } from '../provision.config.ts';
import { openRedis } from '../redis/provision-redis.ts';

/** How far another clock is ahead of this machine's, and how well that is known: half the round trip of the question. */
export interface ClockReading {
  offsetMs: number;
  withinMs: number;
}

type Ask = () => Promise<number>;
type Engines = ReturnType<typeof enginesOfEnvironment>;

/**
 * Asks a few times, and takes the answer that came soonest: nothing waited on its way.
 * @param ask milliseconds since the epoch, by the other clock
 * @param resolutionMs of that clock, where it is coarse: it is then read as the middle of what it may be
 */
export async function readClock(ask: Ask, resolutionMs = 0): Promise<ClockReading> {
  let best: ClockReading | undefined;
  for (let round = 0; round < 3; round++) {
    const before = Date.now();
    const begun = performance.now();
    const theirs = await ask();
    const tookMs = performance.now() - begun;
    const reading = {
      offsetMs: theirs + resolutionMs / 2 - (before + tookMs / 2),
      withinMs: (tookMs + resolutionMs) / 2,
    };
    if (best === undefined || reading.withinMs < best.withinMs) best = reading;
  }
  return best as ClockReading;
}

/** @param toleranceMs how far apart clocks may be before tokens are refused; half of it is worth a warning */
export function clockFinding(
  engine: string,
  { offsetMs, withinMs }: ClockReading,
  toleranceMs: number,
): Finding {
  const apart = Math.abs(offsetMs) - withinMs;
  if (apart <= toleranceMs / 2) {
    return { state: 'ok', what: `the clock of ${engine} agrees with this machine's` };
  }
  const direction = offsetMs > 0 ? 'behind' : 'ahead of';
  return {
    state: apart > toleranceMs ? 'problem' : 'warning',
    what: `this machine's clock is ${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${direction} that of ${engine}; beyond ${toleranceMs / 1000} s tokens are refused`,
    mend: 'run a time service (chrony, systemd-timesyncd) on every machine, and see which of the two is wrong',
  };
}

/** This machine's clock against that of each engine that tells its own; Kafka does not. */
export async function examineClocks(
  { adminUrl, tlsCa, consul, redis }: Engines,
  toleranceMs: number,
): Promise<Finding[]> {
  const readings: [string, () => Promise<ClockReading>][] = [
    ['PostgreSQL', () => readPostgres(adminUrl, tlsCa)],
  ];
  if (redis) readings.push(['Redis', () => readRedis(redis)]);
  if (consul) readings.push(['Consul', () => readConsul(consul)]);
  return Promise.all(
    readings.map(async ([engine, read]): Promise<Finding> => {
      try {
        return clockFinding(engine, await read(), toleranceMs);
      } catch (error) {
        const why = (error as Error).message;
        return { state: 'unknown', what: `the clock of ${engine} could not be read: ${why}` };
      }
    }),
  );
}

async function readPostgres(url: string, tlsCa?: string): Promise<ClockReading> {
  const client = new pg.Client({
    ...postgresConnection({ url, tlsCa }),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await readClock(async () => {
      const { rows } = await client.query<{ ms: number }>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
      );
      return rows[0]?.ms ?? NaN;
    });
  } finally {
    await client.end();
  }
}

async function readRedis(settings: NonNullable<Engines['redis']>): Promise<ClockReading> {
  const { ask, close } = await openRedis(settings, 0);
  try {
    return await readClock(async () => {
      const [seconds = NaN, micros = NaN] = ((await ask('TIME')) as string[]).map(Number);
      return seconds * 1000 + micros / 1000;
    });
  } finally {
    close();
  }
}

/** `Date` of an answer, which is to the second. */
async function readConsul(config: NonNullable<Engines['consul']>): Promise<ClockReading> {
  const client = await openConsul(config, 0);
  try {
    const path = '/v1/status/leader';
    return await readClock(async () => (await client.request('GET', path)).date, 1_000);
  } catch (error) {
    throw new Error(`${consulOptionsOf(config).address}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    await client.close();
  }
}
