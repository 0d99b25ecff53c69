import { availableParallelism } from 'node:os';

import { SIGNING_ALGORITHMS } from '@gatehouse/guards';
import { configOf, envInteger, envNumber } from '@gatehouse/kernel';
import { z } from 'zod';

const DAY = 86_400;

/** What Auth reads of the environment. Lifetimes are in seconds. No setting turns a protection off. */
export class AuthConfig extends configOf({
  /** How long an access token is valid. */
  AUTH_ACCESS_TOKEN_SECONDS: envInteger(600, 30, 3600),
  /** How long a session lasts, however often it is refreshed. */
  AUTH_SESSION_SECONDS: envInteger(30 * DAY, 60, 400 * DAY),
  /** How long a used refresh token answers with its successor again; 0: every second use ends the session. */
  AUTH_REFRESH_WINDOW_SECONDS: envNumber(10, 0, 300),
  /** Of access tokens. */
  AUTH_SIGNING_ALGORITHM: z.enum(SIGNING_ALGORITHMS).default('RS256').meta({ example: 'RS256' }),
  /** How long a new key is published before it signs. Verifiers read the set once a minute. */
  AUTH_SIGNING_KEY_LEAD_SECONDS: envNumber(180, 0, DAY),
  /** A key that has signed for longer gets a successor. */
  AUTH_SIGNING_KEY_MAX_AGE_SECONDS: envNumber(90 * DAY, 1, 400 * DAY),
  /** How long verifiers may use a key set while Auth is away. */
  AUTH_KEY_SET_SECONDS: envInteger(3600, 60, DAY),
  /** argon2id (RFC 9106): never below what OWASP asks for. */
  PASSWORD_HASH_MEMORY_KIB: envInteger(19_456, 19_456, 4_194_304),
  /** Passes of argon2id over its memory. */
  PASSWORD_HASH_PASSES: envInteger(2, 2, 100),
  /** Lanes of argon2id. */
  PASSWORD_HASH_PARALLELISM: envInteger(1, 1, 16),
  /** Hashes computed at once: one core is left to everything else. */
  PASSWORD_HASH_CONCURRENCY: envInteger(Math.max(1, availableParallelism() - 1), 1, 256).meta({
    example: '1',
    defaultText: 'cores - 1',
  }),
  /** Hashes that may wait; one more is answered 503 at once. */
  PASSWORD_HASH_QUEUE: envInteger(16, 0, 10_000),
  /** Registrations are answered at multiples of this time, so that known and unknown addresses look alike; 0: at once. */
  AUTH_REGISTER_BEAT_MS: envInteger(250, 0, 10_000),
}) {}
