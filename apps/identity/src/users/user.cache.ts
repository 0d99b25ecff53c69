import type { UserView } from './users.schemas.ts';

/** Views by id. Other instances evict by broadcast within moments; the lifetime bounds what a lost one could do. */
export const USERS_CACHE = 'users';

/** What a command wrote is what the next read finds. */
export const USER_WRITTEN = {
  cache: USERS_CACHE,
  key: (user: UserView) => user.id,
  version: (user: UserView) => user.version,
  ttl: '1m',
} as const;
