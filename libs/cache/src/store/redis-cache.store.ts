import { newId } from '@gatehouse/kernel';
import { redisInsStore, type RedisStore } from 'cache-manager-redis-yet';

import type { RedisClient, RedisLink } from '../redis/redis-link.ts';
import {
  CacheStore,
  type Claim,
  type PutOutcome,
  type StoredValue,
  type Ticket,
} from './cache-store.ts';
import { EVICT_BEFORE, OPEN, PUT, RELEASE } from './redis-cache.scripts.ts';

/** Of what is stored. Another shape of entries takes another number: nothing reads what it does not know. */
const FORMAT = 1;
/** How long a load may take and still fill the cache. */
const TICKET_MS = 60_000;
/** Kept alive by every load; when it goes, the cache is empty. */
const GENERATION_MS = 7 * 24 * 3_600_000;

interface RedisTicket extends Ticket {
  readonly run: string;
  readonly id: string;
  readonly last: string;
}

interface RedisClaim extends Claim {
  readonly run: string;
  readonly name: string;
  readonly token: string;
}

/** See redis-cache.scripts.ts. */
interface State {
  id: string;
  generation: string;
  last: string;
  newest?: string;
}

interface Value {
  id: string;
  put: string;
  version?: number;
  /** Base64. */
  bytes: string;
}

/**
 * Redis, shared by the instances of a service, through cache-manager's store for node-redis over the process's own link.
 *
 * - Of that store only what takes whole keys is used: its `keyPrefix` is left out by some of its methods, its `reset` is
 *   FLUSHDB, its `keys` is KEYS, and it refuses null. What must be atomic is a script.
 * - Keys carry the run of the Redis process: after a restart or a failover, which may have forgotten an eviction, the cache
 *   is empty, whatever was saved. Who comes to a run from another one empties it: it may have been here before.
 * - Values carry a format in their key, made of this library's and of the service's version: releases that run side by side
 *   never read each other's shapes, and an eviction by either is one for both.
 * - One Redis behind one address (with replicas, if any); not a Redis Cluster, whose scripts may not touch these keys at once.
 */
export class RedisCacheStore extends CacheStore {
  readonly #stores = new WeakMap<RedisClient, RedisStore>();
  readonly #used = new WeakSet<Ticket>();
  #run: string | undefined;
  readonly #format: string;

  /** @param version of the service */
  constructor(
    private readonly link: RedisLink,
    version: string,
  ) {
    super();
    this.#format = `${FORMAT}-${version}`;
  }

  override get(key: string): Promise<StoredValue | undefined> {
    return this.#call(async (client, run) => {
      const names = this.#names(run, key);
      const [generation, state, value] = await readable(
        this.#storeOf(client).mget(names.generation, names.state, names.value),
      );
      return valid(generation, state as Partial<State> | null, value as Partial<Value> | null);
    });
  }

  override open(key: string): Promise<Ticket> {
    return this.#call(async (client, run) => {
      const { generation, state } = this.#names(run, key);
      const args = [newId(), newId(), String(TICKET_MS), String(GENERATION_MS)];
      const [id, last] = (await OPEN.run(client, [generation, state], args)) as [string, string];
      const ticket: RedisTicket = { key, run, id, last };
      return ticket;
    });
  }

  override async put(ticket: Ticket, value: StoredValue, ttlMs: number): Promise<PutOutcome> {
    const { key, run, id, last } = ticket as RedisTicket;
    if (this.#used.has(ticket)) return 'evicted';
    this.#used.add(ticket);
    const { version, bytes } = value;
    const put = newId();
    const entry = { id, put, version, bytes: Buffer.from(bytes).toString('base64') };
    return this.#call(async (client, current) => {
      if (current !== run) return 'evicted';
      const names = this.#names(run, key);
      return (await PUT.run(
        client,
        [names.generation, names.state, names.value],
        [
          ...[id, last, put, version === undefined ? '' : String(version)],
          ...[JSON.stringify(entry), String(ttlMs), String(TICKET_MS)],
        ],
      )) as PutOutcome;
    });
  }

  override close(ticket: Ticket): Promise<void> {
    this.#used.add(ticket);
    return Promise.resolve();
  }

  override claim(ticket: Ticket, forMs: number): Promise<Claim | undefined> {
    const { key, id } = ticket as RedisTicket;
    return this.#call(async (client, run) => {
      const claim: RedisClaim = {
        key,
        run,
        name: `${this.#prefix(run)}claim:${id}`,
        token: newId(),
      };
      const taken = await client.set(claim.name, claim.token, { NX: true, PX: forMs });
      return taken === null ? undefined : claim;
    });
  }

  override async release(claim: Claim): Promise<void> {
    const { name, token } = claim as RedisClaim;
    await this.#call((client) => RELEASE.run(client, [name], [token]));
  }

  override async evict(key: string, before?: number): Promise<void> {
    await this.#call(async (client, run) => {
      const { state, value } = this.#names(run, key);
      if (before === undefined) await this.#storeOf(client).mdel(state, value);
      else await EVICT_BEFORE.run(client, [state, value], [String(before)]);
    });
  }

  override async clear(): Promise<void> {
    await this.#call((client, run) => this.#newGeneration(client, run));
  }

  /** The link is the process's; whoever opened it closes it. */
  override disconnect(): Promise<void> {
    return Promise.resolve();
  }

  /** As the link's, with nothing left of an earlier stay where this process comes from another run. */
  #call<T>(ask: (client: RedisClient, run: string) => Promise<T>): Promise<T> {
    return this.link.call(async (client, run) => {
      if (this.#run !== undefined && this.#run !== run) await this.#newGeneration(client, run);
      this.#run = run;
      return ask(client, run);
    });
  }

  #newGeneration(client: RedisClient, run: string): Promise<void> {
    return this.#storeOf(client).set(`${this.#prefix(run)}generation`, newId(), GENERATION_MS);
  }

  #prefix(run: string): string {
    return `${this.link.prefix}cache:${run}:`;
  }

  #names(run: string, key: string) {
    const prefix = this.#prefix(run);
    const name = wellFormed(key);
    return {
      generation: `${prefix}generation`,
      state: `${prefix}state:${name}`,
      value: `${prefix}value:${this.#format}:${name}`,
    };
  }

  #storeOf(client: RedisClient): RedisStore {
    let store = this.#stores.get(client);
    if (store === undefined) this.#stores.set(client, (store = redisInsStore(client)));
    return store;
  }
}

/** The value, if it is of the state that the key is in now. */
function valid(
  generation: unknown,
  state: Partial<State> | null | undefined,
  value: Partial<Value> | null | undefined,
): StoredValue | undefined {
  if (state?.id === undefined || state.generation !== generation) return undefined;
  if (value?.id !== state.id || typeof value.bytes !== 'string') return undefined;
  // A release with another format has put a newer one since.
  const newest = state.newest === undefined ? -Infinity : Number(state.newest);
  if (value.put !== state.last && (value.version ?? -Infinity) < newest) return undefined;
  return { bytes: Buffer.from(value.bytes, 'base64'), version: value.version };
}

/** What cannot be read is as good as nothing, and no failure of the store. */
async function readable(entries: Promise<unknown[]>): Promise<unknown[]> {
  try {
    return await entries;
  } catch (error) {
    if ((error as Error).name === 'SyntaxError') return [];
    throw error;
  }
}

/** Redis is sent UTF-8, in which halves of surrogate pairs would all be one. */
function wellFormed(key: string): string {
  return key.isWellFormed() ? `:${key}` : JSON.stringify(key);
}
