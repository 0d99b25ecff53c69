import { RedisLink, RedisMetrics } from '@gatehouse/cache/redis';
import { Metrics } from '@gatehouse/kernel';

import {
  type RedisRateLimitOptions,
  RedisRateLimitStore,
} from '../rate-limits/redis/redis-rate-limit.store.ts';

export interface RedisLimitsOptions extends RedisRateLimitOptions {
  service?: string;
  username?: string;
  password?: string;
  /** How long a command may take. Default 5,000: a busy machine is no outage. */
  commandTimeoutMs?: number;
}

/** The rate limits of one process, over a connection of its own. */
export interface RedisLimits {
  store: RedisRateLimitStore;
  link: RedisLink;
  /** How often the store has asked Redis. */
  asked: () => number;
  /** Gives back what is held, and disconnects. */
  close: () => Promise<void>;
}

/** As a process of the platform has them, in the test's own; Redis is at that port of this machine. */
export async function redisLimits(
  port: number,
  options: RedisLimitsOptions = {},
): Promise<RedisLimits> {
  const { service = 'tests', username, password, commandTimeoutMs = 5_000, ...rest } = options;
  const at = { host: '127.0.0.1', port, database: 0, tls: undefined };
  const link = new RedisLink({ ...at, username, password }, new RedisMetrics(new Metrics()), {
    service,
    withinMs: 10_000,
    commandTimeoutMs,
  });
  await link.connect();
  let asked = 0;
  const counted: ConstructorParameters<typeof RedisRateLimitStore>[0] = {
    prefix: link.prefix,
    get available() {
      return link.available;
    },
    onChange: (listener) => link.onChange(listener),
    call: (ask) => {
      asked += 1;
      return link.call(ask);
    },
  };
  const store = new RedisRateLimitStore(counted, rest);
  return {
    store,
    link,
    asked: () => asked,
    close: async () => {
      await store.close();
      await link.close();
    },
  };
}
