import type { Principal } from '@gatehouse/kernel';
import type { Exchange } from './exchange.ts';

/** A token whose signature and claims hold; see `VerifiedToken` of @gatehouse/guards. */
export interface CheckedToken {
  readonly principal: Principal;
}

/** What the pipeline asks of `TokenVerifier`. Both throw NotAuthenticated, TokenExpired or ServiceUnavailable. */
export interface TokenChecks<T extends CheckedToken = CheckedToken> {
  verify(token: string): T;
  /** Reads the key set once more where the token names a key that is not in it. */
  verifyOrRefresh(token: string): Promise<T>;
}

/** What the pipeline asks of `RevocationView`. Throws ServiceUnavailable beyond its staleness bound, never NotAuthenticated. */
export interface RevocationChecks<T extends CheckedToken = CheckedToken> {
  isRevoked(token: T): 'no' | 'session' | 'subject' | 'client';
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
  /** `memory`, or `remote` where Authz had to be asked. */
  readonly source?: string;
}

/** What the pipeline asks of `GrantView`: from memory at once; an unknown subject is asked for. */
export interface GrantChecks {
  decide(
    principal: Principal,
    permission: string,
    /** `platform`, or `organization:<id>`. */
    scope: string,
  ): AccessDecision | Promise<AccessDecision>;
}

/** Takes what must be on record: a request that was refused for want of a permission. Never throws, never waits. */
export interface DenialRecord {
  denied(exchange: Exchange, permission: string): void;
}
