import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { createHash, type JsonWebKey } from 'node:crypto';
import { promisify } from 'node:util';

import type { SigningAlgorithm } from '@gatehouse/guards';

const generate = promisify(generateKeyPair);
const RSA_BITS = 2048;

export interface NewSigningKey {
  /** RFC 7638 thumbprint of the public key. */
  kid: string;
  /** With `kid`, `alg` and `use`; no private part. */
  publicJwk: JsonWebKey;
  /** PKCS #8, DER. */
  privateKey: Buffer;
}

export async function newSigningKey(algorithm: SigningAlgorithm): Promise<NewSigningKey> {
  const { privateKey } =
    algorithm === 'RS256'
      ? await generate('rsa', { modulusLength: RSA_BITS })
      : await generate('ec', { namedCurve: 'P-256' });
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = thumbprint(jwk);
  return {
    kid,
    publicJwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
  };
}

export function readSigningKey(pkcs8: Buffer): KeyObject {
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

/** RFC 7638 3: the required members alone, in lexicographic order. */
function thumbprint({ crv, e, kty, n, x, y }: JsonWebKey): string {
  const required = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}
