import { createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';

import { isObject, SIGNING_ALGORITHMS, type SigningAlgorithm } from './token-rules.ts';

/** What Auth publishes: public signing keys (RFC 7517), good from `issuedAt` until `expiresAt` (seconds since the epoch). */
export interface KeySetDocument {
  keys: JsonWebKey[];
  issuedAt: number;
  expiresAt: number;
}

/** A key that may verify access tokens, parsed once. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly key: KeyObject;
}

const TYPE = 'jwk-set+jwt';
const MIN_RSA_BITS = 2048;

/** The key set as a compact JWS (RFC 7515) under Auth's service key (Ed25519): the answer of `GetKeySet`. */
export function signKeySet(document: KeySetDocument, serviceKey: KeyObject): string {
  const header = encode({ alg: 'EdDSA', typ: TYPE });
  const payload = encode({ keys: document.keys, iat: document.issuedAt, exp: document.expiresAt });
  const signature = sign(null, Buffer.from(`${header}.${payload}`), serviceKey);
  return `${header}.${payload}.${signature.toString('base64url')}`;
}

/** Verifies and reads what `signKeySet` made. @throws Error that says what is wrong with it */
export function openKeySet(jws: string, servicePublicKey: KeyObject): KeySetDocument {
  const [header, payload, signature, ...rest] = jws.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new Error('the key set is not a compact JWS');
  }
  const { alg, typ } = decode(header);
  // EdDSA alone: the algorithm is the key's, never the document's choice.
  if (alg !== 'EdDSA' || typ !== TYPE || servicePublicKey.asymmetricKeyType !== 'ed25519') {
    throw new Error('the key set is not signed as a key set');
  }
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify(null, signed, servicePublicKey, Buffer.from(signature, 'base64url'))) {
    throw new Error("the key set's signature is not that of auth");
  }
  const { keys, iat, exp } = decode(payload);
  if (!Array.isArray(keys) || typeof iat !== 'number' || typeof exp !== 'number') {
    throw new Error('the key set lacks keys, iat or exp');
  }
  return { keys: keys.filter(isObject), issuedAt: iat, expiresAt: exp };
}

/**
 * The keys of a set that may verify access tokens. One without `alg`, of another algorithm, for another use, too weak
 * or with a private part is left out: a token that names it is then unknown.
 * @param held the keys of the set before; one that did not change stays the same object, so that what was verified
 * with it stays verified
 */
export function verificationKeys(
  keys: readonly JsonWebKey[],
  held: ReadonlyMap<string, VerificationKey> = new Map(),
): Map<string, VerificationKey> {
  const usable = new Map<string, VerificationKey>();
  for (const jwk of keys) {
    const key = verificationKey(jwk);
    if (key === undefined) continue;
    const before = held.get(key.kid);
    usable.set(key.kid, before?.alg === key.alg && before.key.equals(key.key) ? before : key);
  }
  return usable;
}

function verificationKey(jwk: JsonWebKey): VerificationKey | undefined {
  const { kid, alg, use } = jwk as Record<string, unknown>;
  if (typeof kid !== 'string' || kid === '' || 'd' in jwk || (use !== undefined && use !== 'sig'))
    return undefined;
  if (!SIGNING_ALGORITHMS.includes(alg as SigningAlgorithm)) return undefined;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return fits(key, alg as SigningAlgorithm)
      ? { kid, alg: alg as SigningAlgorithm, key }
      : undefined;
  } catch {
    return undefined;
  }
}

function fits(key: KeyObject, alg: SigningAlgorithm): boolean {
  const details = key.asymmetricKeyDetails;
  return alg === 'RS256'
    ? key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS
    : key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1';
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(segment: string): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  if (!isObject(value)) throw new Error('the key set holds something else');
  return value;
}
