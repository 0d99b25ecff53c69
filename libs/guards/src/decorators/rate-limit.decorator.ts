import type { RateLimitPolicy } from '@gatehouse/contracts-platform';
import { Reflector } from '@nestjs/core';

import { secondsOf } from '../rate-limits/duration.ts';

/** The typed metadata behind `@RateLimit`: every policy of a route, in the order written. */
export type { RateLimitPolicy };

export const RateLimits = Reflector.createDecorator<readonly RateLimitPolicy[]>();

export interface RateLimitOptions {
  /** How many calls (or units of `cost`) fit into the window, and how many may come at once. */
  limit: number;
  /** The window: `10s`, `1m`, `1h` or `1d`. */
  per: string;
  /** Whom the counter is for: the client's address, or the authenticated caller. */
  by: 'ip' | 'principal';
  /** Shown in the `RateLimit` fields; unique on the route. Default `<by>-<per>`. */
  name?: string;
  /** What one call takes from the quota; default 1. */
  cost?: number;
}

/** Limits how often a route may be called. May stand several times on a method: all are reported, the tightest refuses. */
export function RateLimit(options: RateLimitOptions): MethodDecorator {
  const policy: RateLimitPolicy = {
    name: options.name ?? `${options.by}-${options.per}`,
    limit: options.limit,
    window_seconds: secondsOf(options.per),
    by: options.by,
    ...(options.cost === undefined ? {} : { cost: options.cost }),
  };
  return <T>(
    _target: object,
    property: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ) => {
    const holder = descriptor.value as object;
    const others = (Reflect.getOwnMetadata(RateLimits.KEY, holder) ?? []) as RateLimitPolicy[];
    if (others.some((other) => other.name === policy.name)) {
      throw new Error(
        `${String(property)} has two rate limits named "${policy.name}": give one a name`,
      );
    }
    Reflect.defineMetadata(RateLimits.KEY, [policy, ...others], holder);
  };
}
