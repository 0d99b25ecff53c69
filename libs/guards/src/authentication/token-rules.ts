import { NotAuthenticated, TokenExpired } from '@gatehouse/contracts-platform';

import type { VerifiedToken } from './verified-token.ts';

export const SIGNING_ALGORITHMS = ['RS256', 'ES256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** A longer token is refused unread. */
export const MAX_TOKEN_LENGTH = 8192;

export interface TokenHeader {
  alg: SigningAlgorithm;
  kid: string;
}

export interface TokenExpectations {
  issuer: string;
  audience: string;
  /** How far clocks may differ, in seconds. */
  skewSeconds: number;
}

const HEADER_MEMBERS = new Set(['alg', 'kid', 'typ']);

/**
 * A JOSE header as Auth writes it and nothing else: `typ` at+jwt (RFC 9068), an asymmetric `alg` of ours, a `kid`.
 * Any further member is refused: `jwk`, `jku`, `x5u` and `x5c` would let a token bring its own key, and `crit` asks
 * for extensions that nobody here understands (RFC 7515 4.1.11).
 * @throws NotAuthenticated
 */
export function checkHeader(header: unknown): TokenHeader {
  if (!isObject(header)) throw new NotAuthenticated();
  const { alg, kid, typ } = header;
  if (!Object.keys(header).every((member) => HEADER_MEMBERS.has(member)))
    throw new NotAuthenticated();
  if (typ !== 'at+jwt' || typeof kid !== 'string' || kid === '' || kid.length > 128)
    throw new NotAuthenticated();
  if (!SIGNING_ALGORITHMS.includes(alg as SigningAlgorithm)) throw new NotAuthenticated();
  return { alg: alg as SigningAlgorithm, kid };
}

/**
 * The claims of contracts.md, "Tokens", each of its type, for this issuer and audience, and in force now.
 * @param now seconds since the epoch
 * @throws NotAuthenticated, or TokenExpired where that alone is wrong
 */
export function checkClaims(
  token: string,
  claims: unknown,
  expected: TokenExpectations,
  now: number,
): VerifiedToken {
  if (!isObject(claims)) throw new NotAuthenticated();
  const {
    iss,
    aud,
    sub,
    sub_type: type,
    sid,
    client_id: clientId,
    jti,
    iat,
    nbf,
    exp,
    org,
  } = claims;
  if (iss !== expected.issuer) throw new NotAuthenticated();
  if (aud !== expected.audience && !(Array.isArray(aud) && aud.includes(expected.audience)))
    throw new NotAuthenticated();
  if (!isText(sub) || !isText(sid) || !isText(clientId) || !isText(jti))
    throw new NotAuthenticated();
  if (type !== 'user' && type !== 'service') throw new NotAuthenticated();
  if (org !== undefined && !isText(org)) throw new NotAuthenticated();
  if (!isTime(iat) || !isTime(exp) || (nbf !== undefined && !isTime(nbf)))
    throw new NotAuthenticated();
  const notBefore = nbf ?? iat;
  if (Math.max(notBefore, iat) > now + expected.skewSeconds) throw new NotAuthenticated();
  if (exp <= now - expected.skewSeconds) throw new TokenExpired();
  return Object.freeze({
    tokenId: jti,
    issuedAt: iat,
    notBefore,
    expiresAt: exp,
    principal: Object.freeze({
      id: sub,
      type,
      sessionId: sid,
      clientId,
      token,
      expiresAt: exp,
      ...(org === undefined ? {} : { organizationId: org }),
    }),
  });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 255;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
