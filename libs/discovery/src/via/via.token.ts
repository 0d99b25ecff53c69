import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { PROVISIONER } from '../documents/directory.document.ts';
import { readPrivateKey } from '../documents/keys.ts';

export const VIA_TYPE = 'gatehouse-via+jwt';
export const VIA_LIFETIME_SECONDS = 60;

/** How far the clocks of two machines may be apart. */
export const CLOCK_TOLERANCE_SECONDS = 10;

/** A JWT of 60 s (RFC 7519), EdDSA, that says `issuer` is calling `audience`. */
export async function signVia(
  claims: { issuer: string; audience: string },
  key: KeyObject,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA', typ: VIA_TYPE })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setIssuedAt(now)
    .setExpirationTime(now + VIA_LIFETIME_SECONDS)
    .sign(key);
}

/** The provisioner's own `Gatehouse-Via`, for the calls of `gatehouse bootstrap`: 60 s, for one service. */
export async function issueProvisionerToken(
  platformPrivateKey: string | KeyObject,
  audience: string,
): Promise<string> {
  return signVia({ issuer: PROVISIONER, audience }, readPrivateKey(platformPrivateKey));
}
