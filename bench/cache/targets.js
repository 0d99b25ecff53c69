// Ways to cache, as a service would use them: `load(key, load, singleFlight)` answers from the cache or loads.
import { redisInsStore } from 'cache-manager-redis-yet';
import { caching } from 'cache-manager';
import { Metrics } from '@gatehouse/kernel';
import { RedisConfig, RedisLink, RedisMetrics, redisSettings } from '@gatehouse/cache/redis';
import { Caches } from '../../libs/cache/dist/caches.js';
import { CacheMetrics } from '../../libs/cache/dist/cache.metrics.js';
import { GuardedStore } from '../../libs/cache/dist/store/guarded-store.js';
import { MemoryCacheStore } from '../../libs/cache/dist/store/memory-cache.store.js';
import { RedisCacheStore } from '../../libs/cache/dist/store/redis-cache.store.js';

const TTL_MS = 60_000;

/** Ours, as a service has it, with its metrics and its guard against a store that is away. */
function ours(store) {
  const metrics = new CacheMetrics(new Metrics());
  // An overloaded machine is no outage.
  const caches = new Caches(new GuardedStore(store, metrics, { timeoutMs: 5_000 }), metrics);
  return (key, load, singleFlight) =>
    caches.load({ cache: 'things', ttl: '1m', singleFlight }, key, load);
}

async function connected() {
  const options = { service: 'bench', withinMs: 10_000, commandTimeoutMs: 5_000 };
  const settings = redisSettings(new RedisConfig());
  const link = new RedisLink(settings, new RedisMetrics(new Metrics()), options);
  await link.connect();
  return link;
}

/** The client of a link that nobody cuts here. */
const bareClient = async () => (await connected()).call((client) => Promise.resolve({ client }));

export const TARGETS = {
  memory: () => ours(new MemoryCacheStore({ maxEntries: 100_000, maxBytes: 256 * 1024 ** 2 })),
  'memory, cache-manager': async () => {
    const cache = await caching('memory', { max: 100_000, ttl: TTL_MS });
    return (key, load) => cache.wrap(key, load, TTL_MS);
  },
  redis: async () => ours(new RedisCacheStore(await connected(), 'bench')),
  'redis, cache-manager': async () => {
    const cache = await caching(redisInsStore((await bareClient()).client));
    return (key, load) => cache.wrap(`bench:wrap:${key}`, load, TTL_MS);
  },
  'redis, bare client': async () => {
    const { client } = await bareClient();
    return async (key, load) => {
      const found = await client.get(`bench:bare:${key}`);
      if (found !== null) return JSON.parse(found);
      const value = await load();
      await client.set(`bench:bare:${key}`, JSON.stringify(value), { PX: TTL_MS });
      return value;
    };
  },
};
