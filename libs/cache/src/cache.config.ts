import { configOf, envInteger } from '@gatehouse/kernel';
import { z } from 'zod';

/** What the cache of a service may take. */
export class CacheConfig extends configOf({
  /** Least recently used entries go first. */
  CACHE_MAX_ENTRIES: z.coerce.number().int().min(1).default(10_000).meta({ example: '10000' }),
  /** Bytes. */
  CACHE_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(65_536)
    .default(16 * 1024 ** 2)
    .meta({ example: '16777216' }),
  /** How long a store may take for one operation before it counts as down. */
  CACHE_STORE_TIMEOUT_MS: envInteger(100, 1, 10_000),
}) {}
