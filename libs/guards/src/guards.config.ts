import { configOf, embeddedDefault, envInteger, envNumber } from '@gatehouse/kernel';
import { z } from 'zod';

/** What guards read of the environment. Auth's address and audience are the same in every process. */
export class GuardsConfig extends configOf({
  /** `iss` of access tokens: the public base URL. */
  AUTH_ISSUER: z
    .url()
    .default(embeddedDefault('http://127.0.0.1:8080'))
    .meta({ example: 'https://id.example' }),
  /** `aud` of access tokens. */
  AUTH_AUDIENCE: z.string().min(1).default('gatehouse').meta({ example: 'gatehouse' }),
  /** How far the clocks of two machines may be apart when a token's times are judged. */
  TOKEN_CLOCK_SKEW_SECONDS: envNumber(10, 0, 86_400),
  /** Verified tokens that are remembered. */
  TOKEN_CACHE_SIZE: envInteger(20_000, 1, 10_000_000),
  /** How often the keys that sign tokens are asked for. */
  KEY_SET_REFRESH_SECONDS: envNumber(60, 0, 86_400),
  /** Without a word from Auth for longer, calls that need a token are answered 503. Default: an access token's lifetime. */
  REVOCATIONS_MAX_STALENESS_SECONDS: envNumber(600, 0, 86_400),
  /** Without a word from Authz for longer, calls that need a permission are answered 503. */
  GRANTS_MAX_STALENESS_SECONDS: envNumber(600, 0, 86_400),
  /** Subjects whose roles are held in memory. */
  GRANTS_MAX_SUBJECTS: envInteger(50_000, 1, 10_000_000),
  /** Addresses and principals that are counted in memory at once. */
  RATE_LIMIT_MAX_KEYS: envInteger(100_000, 1, 10_000_000),
  /** Entries that a process without a schema keeps while Audit is away. */
  AUDIT_BUFFER_SIZE: envInteger(10_000, 1, 10_000_000),
}) {}
