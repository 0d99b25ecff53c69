import { createPrivateKey, sign } from 'node:crypto';

/**
 * A compact JWS (RFC 7515), EdDSA, written without the library under test.
 * @param key PKCS #8 PEM
 */
export function signJws(typ: string, payload: object, key: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'EdDSA', typ })}.${encode(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), createPrivateKey(key)).toString('base64url')}`;
}

/** A `Gatehouse-Via` with these claims, by default one of 60 s from now. */
export function signVia(
  claims: { iss: string; aud: string; iat?: number; exp?: number },
  key: string,
  typ = 'gatehouse-via+jwt',
): string {
  const iat = Math.floor(claims.iat ?? Date.now() / 1000);
  return signJws(typ, { ...claims, iat, exp: Math.floor(claims.exp ?? iat + 60) }, key);
}

/** A registry entry as a service signs it. */
export function signEntry(
  entry: {
    service: string;
    instanceId: string;
    httpUrl?: string;
    grpcAddress?: string;
    manifestDigest?: string;
  },
  key: string,
): string {
  const now = Date.now();
  const payload = {
    service: entry.service,
    instance_id: entry.instanceId,
    version: '1.0.0',
    http_url: entry.httpUrl,
    grpc_address: entry.grpcAddress,
    manifest_digest: entry.manifestDigest,
    signed_at: now,
    expires_at: now + 3_600_000,
  };
  return signJws('gatehouse-entry+jws', payload, key);
}
