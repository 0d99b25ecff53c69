import { configOf, envInteger, envNumber } from '@gatehouse/kernel';
import { z } from 'zod';
import type { EdgePolicies } from './routing/route.ts';

const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
export class GatewayConfig extends configOf({
  /** Origins that browsers may call from, comma-separated; `*` for any, without credentials. Empty: none. */
  CORS_ORIGINS: list.meta({ example: 'https://app.example,http://localhost:5173' }),
  /** How long a browser may remember what it was told of a route. */
  CORS_MAX_AGE_SECONDS: envInteger(600, 0, 86_400),
  /** Proxies before the gateway whose `X-Forwarded-For` and `-Proto` are believed: addresses and CIDR ranges. */
  GATEWAY_TRUSTED_PROXIES: list.meta({ example: '10.0.0.0/8,::1' }),
  /** Requests an address (an IPv6 /64) may make of the whole platform in a window, besides what routes declare. */
  GATEWAY_ADDRESS_LIMIT: envInteger(6_000, 1, 1_000_000),
  /** Requests a principal may make of the whole platform in a window, besides what routes declare. */
  GATEWAY_PRINCIPAL_LIMIT: envInteger(3_000, 1, 1_000_000),
  /** The window of the two limits above. */
  GATEWAY_LIMIT_WINDOW_SECONDS: envInteger(60, 1, 86_400),
  /** Requests in hand at once; what comes on top is answered 503 at once. */
  GATEWAY_MAX_IN_FLIGHT: envInteger(2_000, 1, 1_000_000),
  /** Connections to one instance. */
  GATEWAY_UPSTREAM_CONNECTIONS: envInteger(256, 1, 65_536),
  /** To an instance; then another one is tried. */
  GATEWAY_CONNECT_TIMEOUT_MS: envInteger(1_000, 1, 60_000),
  /** How long an answer that has begun may pause, except server-sent events and routes declared as streaming. */
  GATEWAY_BODY_IDLE_TIMEOUT_MS: envInteger(30_000, 1, 3_600_000),
  /** Share of requests that are logged. What failed (5xx) always is, and what was refused or slow, up to the rate below. */
  GATEWAY_ACCESS_LOG_SAMPLE: envNumber(0.05, 0, 1),
  /** An unsampled request that takes longer has a span and a line all the same, as one that is refused or fails has. */
  GATEWAY_TRACE_SLOW_MS: envInteger(1_000, 1, 3_600_000),
  /** At most so many such spans, and such lines, a second. */
  GATEWAY_TRACE_UNSAMPLED_PER_SECOND: envInteger(100, 1, 1_000_000),
}) {}

/** What the edge counts for every route, besides what routes declare. */
export function edgePolicies(config: GatewayConfig): EdgePolicies {
  const window_seconds = config.GATEWAY_LIMIT_WINDOW_SECONDS;
  return {
    address: { name: 'address', limit: config.GATEWAY_ADDRESS_LIMIT, window_seconds, by: 'ip' },
    principal: {
      name: 'principal',
      limit: config.GATEWAY_PRINCIPAL_LIMIT,
      window_seconds,
      by: 'principal',
    },
  };
}
