import { awaitEngine } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import type { RedisClientType } from 'redis';

import type { RedisMetrics } from './redis.metrics.ts';
import { addressOf, type RedisSettings } from './redis-settings.ts';
import { assertSpeaksRedis, CONNECT_TIMEOUT_MS, socketOptions } from './redis-socket.ts';
import { refusalOf } from './refusal.ts';
import { within } from '../within.ts';

/** A connected client; never keep it: after a loss there is another. */
export type RedisClient = RedisClientType;

export interface RedisLinkOptions {
  /** The service: its keys begin with `gatehouse:<service>:`. */
  service: string;
  /** How long `connect` waits for a Redis that does not answer yet. */
  withinMs: number;
  /** How long a command may take before Redis counts as away. Default 250. */
  commandTimeoutMs?: number;
  /** How often an idle connection is asked whether it still works. Default 2,000. */
  heartbeatMs?: number;
}

/** Redis does not answer this process at present. Nothing was sent. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** Redis took too long. The command may have been done, or be done yet. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout';
}

/** A connection that says nothing for so long is given up for a new one. */
const SILENCE_MS = 1_000;
const ATTEMPT_MS = 2 * CONNECT_TIMEOUT_MS;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * The one connection of this process to Redis. Guarantees:
 *
 * - No call hangs: a command that gets no answer in time rejects, and from then on all do at once, until Redis has answered
 *   again. Nothing is queued for a Redis that is away.
 * - After a loss, whatever its kind, it connects again by itself, for ever, with growing and random pauses.
 * - It is a primary that answers: one that became a replica is left for whatever is at the address then.
 * - No error of a socket ends the process.
 * - A loss is logged once, and so is the return.
 */
export class RedisLink {
  /** All keys and channels of the service begin with it. */
  readonly prefix: string;
  readonly #logger = new Logger('Redis');
  readonly #address: string;
  readonly #commandTimeoutMs: number;
  readonly #heartbeatMs: number;
  readonly #listeners = new Set<(available: boolean) => void>();
  #connection: Connection | undefined;
  /** The connection works, as far as is known. */
  #available = false;
  #heartbeat: NodeJS.Timeout | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #attempts = 0;
  #saidWhy = '';
  #closed = false;

  constructor(
    private readonly settings: RedisSettings,
    private readonly metrics: RedisMetrics,
    private readonly options: RedisLinkOptions,
  ) {
    this.prefix = `gatehouse:${options.service}:`;
    this.#address = addressOf(settings);
    this.#commandTimeoutMs = options.commandTimeoutMs ?? 250;
    this.#heartbeatMs = options.heartbeatMs ?? 2_000;
    metrics.available.set(0);
  }

  /**
   * At the start of the process, once.
   * @throws EngineUnusable where Redis refuses this process, or does not answer within the bound
   */
  async connect(): Promise<void> {
    await awaitEngine(
      async () => {
        await assertSpeaksRedis(this.settings);
        await this.#open();
      },
      {
        engine: 'Redis',
        variable: 'REDIS_URL',
        address: this.#address,
        withinMs: this.options.withinMs,
        refusal: refusalOf,
      },
    );
    this.#beat();
  }

  /** Whether Redis answers, as far as is known: what is asked of it now is sent. */
  get available(): boolean {
    return this.#available;
  }

  /**
   * Names the run of the Redis process that answers: another after a restart or a failover, when anything it was told last
   * may be forgotten. `undefined` while it is away.
   */
  get run(): string | undefined {
    return this.#connection?.run;
  }

  /** Calls back whenever `available` changes; returns how to end that. */
  onChange(listener: (available: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Asks something of Redis. The client is given for this call alone.
   * @throws RedisAway, RedisTimeout, or what Redis answered
   */
  async call<T>(ask: (client: RedisClient, run: string) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    if (connection === undefined || !this.#available) {
      this.metrics.failures.inc({ reason: 'away' });
      throw new RedisAway(`Redis at ${this.#address} is away`);
    }
    try {
      const { client, run } = connection;
      return await within(ask(client, run), this.#commandTimeoutMs, tooLate);
    } catch (error) {
      const late = error instanceof RedisTimeout;
      this.metrics.failures.inc({ reason: late ? 'timeout' : 'error' });
      if (late) void this.#doubt(connection, error);
      else if ((error as Error).message.startsWith('READONLY')) this.#lose(connection, error);
      throw error;
    }
  }

  /** Ends the connection, and with it whatever is still being asked. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#reconnect);
    const connection = this.#connection;
    this.#connection = undefined;
    this.#setAvailable(false);
    if (connection !== undefined) await dispose(connection.client);
  }

  async #open(): Promise<void> {
    const { createClient } = await import('redis');
    const { username, password, database } = this.settings;
    const client: RedisClient = createClient({
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      database,
      disableOfflineQueue: true,
      disableClientInfo: true,
      socket: {
        ...socketOptions(this.settings),
        connectTimeout: CONNECT_TIMEOUT_MS,
        // A client serves for one connection: node-redis cannot be told to give up one that is silent.
        reconnectStrategy: false,
      },
    });
    let reason: Error | undefined;
    const connection: Connection = { client, run: '' };
    // Without a listener an error of the socket would end the process.
    client.on('error', (error: Error) => {
      reason = error;
      if (this.#connection === connection) this.#lose(connection, error);
    });
    try {
      connection.run = await within(greet(client), ATTEMPT_MS, tooLate);
    } catch (error) {
      void dispose(client);
      throw error;
    }
    if (!client.isReady) throw reason ?? new Error('lost at once');
    if (this.#closed) return dispose(client);
    this.#connection = connection;
    this.#attempts = 0;
    this.#setAvailable(true);
  }

  /** A command took too long: nothing more is sent until it is known whether Redis still answers. */
  async #doubt(connection: Connection, why: Error): Promise<void> {
    if (this.#connection !== connection || !this.#available) return;
    this.#say(why);
    this.#setAvailable(false);
    await this.#examine(connection);
  }

  async #examine(connection: Connection): Promise<void> {
    try {
      await within(assertPrimary(connection.client), SILENCE_MS, tooLate);
      if (this.#connection === connection) this.#setAvailable(true);
    } catch (error) {
      this.#lose(connection, error);
    }
  }

  #lose(connection: Connection, error: unknown): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#say(error);
    this.#setAvailable(false);
    void dispose(connection.client);
    this.#scheduleReconnect();
  }

  #scheduleReconnect(): void {
    if (this.#closed) return;
    const most = Math.min(FIRST_PAUSE_MS * 2 ** this.#attempts++, LONGEST_PAUSE_MS);
    const pause = most * (0.5 + 0.5 * Math.random());
    this.#reconnect = setTimeout(() => {
      this.#open().catch((error: unknown) => {
        this.#say(error);
        this.#scheduleReconnect();
      });
    }, pause).unref();
  }

  #beat(): void {
    this.#heartbeat = setInterval(() => {
      const connection = this.#connection;
      if (connection !== undefined && this.#available) void this.#examine(connection);
    }, this.#heartbeatMs).unref();
  }

  #setAvailable(available: boolean): void {
    if (this.#available === available) return;
    this.#available = available;
    this.metrics.available.set(available ? 1 : 0);
    if (available && this.#saidWhy !== '') {
      this.#saidWhy = '';
      this.#logger.log(`Redis at ${this.#address} answers again`);
    }
    if (!available && !this.#closed) this.metrics.losses.inc();
    for (const listener of this.#listeners) listener(available);
  }

  /** Once an outage; again only where a refusal now keeps it from coming back. */
  #say(error: unknown): void {
    const refused = refusalOf(error);
    const why = refused ?? 'away';
    if (this.#closed || this.#saidWhy === why || (refused === undefined && this.#saidWhy !== ''))
      return;
    this.#saidWhy = why;
    const { message } = error as Error;
    this.#logger.warn(
      `Redis at ${this.#address} is away${refused === undefined ? '' : `, ${refused}`}: ${message}`,
    );
  }
}

interface Connection {
  readonly client: RedisClient;
  run: string;
}

/** Connects and learns which run of Redis answers. */
async function greet(client: RedisClient): Promise<string> {
  await client.connect();
  const info = await client.info('server');
  const run = /^run_id:(\w+)/m.exec(info)?.[1];
  if (run === undefined) throw new Error('it does not say its run_id');
  await assertPrimary(client);
  return run.slice(0, 12);
}

/** A replica answers too, with what it was told last. */
async function assertPrimary(client: RedisClient): Promise<void> {
  const info = await client.info('replication');
  if (!/^role:master/m.test(info)) throw new Error('it is a replica, and takes no changes');
}

async function dispose(client: RedisClient): Promise<void> {
  try {
    await client.disconnect();
  } catch {
    // It was closed already.
  }
}

function tooLate(ms: number): Error {
  return new RedisTimeout(`no answer within ${ms} ms`);
}
