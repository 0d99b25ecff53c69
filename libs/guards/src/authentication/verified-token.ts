import type { Principal } from '@gatehouse/kernel';

/** An access token whose signature and claims were found good. Frozen: it is shared by every request that presents it. */
export interface VerifiedToken {
  /** Made once per token, so that a cached token costs no allocation. */
  readonly principal: Principal;
  readonly tokenId: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly notBefore: number;
  readonly expiresAt: number;
}
