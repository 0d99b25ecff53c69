import { verify } from 'node:crypto';

import { NotAuthenticated, ServiceUnavailable, TokenExpired } from '@gatehouse/contracts-platform';

import { TokenTally } from '../metrics/tallies.ts';
import { GenerationCache } from './generation-cache.ts';
import type { KeySet } from './key-set.ts';
import type { VerificationKey } from './signed-key-set.ts';
import {
  checkClaims,
  checkHeader,
  MAX_TOKEN_LENGTH,
  type TokenExpectations,
} from './token-rules.ts';
import type { VerifiedToken } from './verified-token.ts';

export interface TokenVerifierOptions extends TokenExpectations {
  /** The most verified tokens kept; default 20,000 (about 40 MB at most). */
  cacheSize?: number;
  /** Seconds since the epoch. */
  now?: () => number;
}

interface CacheEntry {
  raw: string;
  token: VerifiedToken;
  key: VerificationKey;
}

/** What of a token its entry is found by. The end of a signature is as good as random; the whole token is compared after. */
const KEY_LENGTH = 32;
const MAX_HEADERS = 64;

/** The token names a key that this process does not have (yet). */
export class UnknownKey extends NotAuthenticated {}

/**
 * Verifies access tokens synchronously with node:crypto, for hot paths: RS256 and ES256, the algorithm pinned to the
 * one of the key, and the rules of `checkHeader` and `checkClaims`. Verified tokens are cached by the raw token, bounded;
 * a hit still looks at `exp` and at whether the key is in the set. Revocation is not looked up here: see RevocationView.
 */
export class TokenVerifier {
  private readonly cache: GenerationCache<string, CacheEntry>;
  /** Header segments are the same for all tokens of a key: read once. */
  private readonly headers = new GenerationCache<string, { kid: string; alg: string }>(MAX_HEADERS);
  private readonly now: () => number;
  constructor(
    private readonly keys: KeySet,
    private readonly options: TokenVerifierOptions,
    readonly tally = new TokenTally(),
  ) {
    this.cache = new GenerationCache(options.cacheSize ?? 20_000);
    this.now = options.now ?? (() => Date.now() / 1000);
  }

  /**
   * @param token the compact JWS, without `Bearer`
   * A token with an unknown key id is counted by `verifyOrRefresh` alone, which is what such a token is for.
   * @throws NotAuthenticated, TokenExpired; ServiceUnavailable while no key set is at hand
   */
  verify(token: string): VerifiedToken {
    const entry = this.cache.get(token.slice(-KEY_LENGTH));
    if (entry?.raw === token && this.keys.find(entry.key.kid) === entry.key) {
      if (entry.token.expiresAt <= this.now() - this.options.skewSeconds) {
        this.tally.expired += 1;
        throw new TokenExpired();
      }
      this.tally.cached += 1;
      return entry.token;
    }
    try {
      const verified = this.verifyAnew(token);
      this.tally.verified += 1;
      return verified;
    } catch (error) {
      if (!(error instanceof UnknownKey)) this.tally[refusalOf(error)] += 1;
      throw error;
    }
  }

  /** As `verify`, but a token with an unknown key id waits for one read of the key set, if one is due. */
  async verifyOrRefresh(token: string): Promise<VerifiedToken> {
    try {
      return this.verify(token);
    } catch (error) {
      if (!(error instanceof UnknownKey)) throw error;
      if (await this.keys.refreshForUnknownKey()) return this.verifyKnown(token);
      this.tally.unknown_key += 1;
      throw error;
    }
  }

  private verifyKnown(token: string): VerifiedToken {
    try {
      return this.verify(token);
    } catch (error) {
      if (error instanceof UnknownKey) this.tally.unknown_key += 1;
      throw error;
    }
  }

  private verifyAnew(token: string): VerifiedToken {
    if (token.length > MAX_TOKEN_LENGTH) throw new NotAuthenticated();
    const first = token.indexOf('.');
    const last = token.lastIndexOf('.');
    if (first < 1 || last === first || token.indexOf('.', first + 1) !== last) {
      throw new NotAuthenticated();
    }
    const key = this.keyOf(token.slice(0, first));
    const signature = decodeSignature(token.slice(last + 1));
    if (!signatureFits(key, Buffer.from(token.slice(0, last), 'latin1'), signature)) {
      throw new NotAuthenticated();
    }
    // From here on the segments are those that Auth wrote.
    const payload = json(token.slice(first + 1, last));
    const verified = checkClaims(token, payload, this.options, this.now());
    this.cache.set(token.slice(-KEY_LENGTH), { raw: token, token: verified, key });
    return verified;
  }

  private keyOf(segment: string): VerificationKey {
    let header = this.headers.get(segment);
    if (header === undefined) {
      header = checkHeader(json(segment));
      // Only headers of known keys are kept, so that made-up ones do not push them out.
      if (this.keys.find(header.kid) !== undefined) this.headers.set(segment, header);
    }
    const key = this.keys.find(header.kid);
    if (key === undefined) {
      void this.keys.refreshForUnknownKey();
      throw new UnknownKey();
    }
    if (key.alg !== header.alg) throw new NotAuthenticated();
    return key;
  }
}

/** Base64url without padding or other characters (RFC 7515 2), which Buffer.from would skip: one token has one form. */
function decodeSignature(segment: string): Buffer {
  const signature = Buffer.from(segment, 'base64url');
  if (segment.length !== Math.ceil((signature.length * 4) / 3)) throw new NotAuthenticated();
  return signature;
}

function signatureFits(key: VerificationKey, signed: Buffer, signature: Buffer): boolean {
  return key.alg === 'RS256'
    ? verify('sha256', signed, key.key, signature)
    : verify('sha256', signed, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature);
}

function json(segment: string): unknown {
  try {
    return JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  } catch {
    throw new NotAuthenticated();
  }
}

/** How a token that was not taken is counted. */
export function refusalOf(error: unknown): 'expired' | 'unavailable' | 'invalid' {
  if (error instanceof TokenExpired) return 'expired';
  return error instanceof ServiceUnavailable ? 'unavailable' : 'invalid';
}
