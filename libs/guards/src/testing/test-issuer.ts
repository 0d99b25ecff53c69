import { generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto';

import { KeySetSource } from '../authentication/key-set.source.ts';
import type { KeySetDocument } from '../authentication/signed-key-set.ts';

type Algorithm = 'RS256' | 'ES256';

export interface TestKey {
  kid: string;
  alg: Algorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** As published. */
  jwk: JsonWebKey;
}

/** Stands in for Auth in tests: signs access tokens as contracts.md describes them, or anything else. */
export class TestIssuer extends KeySetSource {
  readonly issuer = 'https://id.test';
  readonly audience = 'gatehouse';
  /** What a verifier of its tokens expects. */
  readonly expectations = { issuer: this.issuer, audience: this.audience, skewSeconds: 10 };
  readonly keys: TestKey[];
  /** How often the key set was asked for. */
  loads = 0;
  /** Set to make `load` fail. */
  away: Error | undefined;

  constructor(algorithms: Algorithm[] = ['RS256']) {
    super();
    this.keys = algorithms.map((alg, index) => newKey(`${alg.toLowerCase()}-${index}`, alg));
  }

  get key(): TestKey {
    return this.keys[0] as TestKey;
  }

  /** Publishes a further key. */
  addKey(kid: string, alg: Algorithm = 'RS256'): TestKey {
    const key = newKey(kid, alg);
    this.keys.push(key);
    return key;
  }

  override load(): Promise<KeySetDocument> {
    this.loads += 1;
    return this.away === undefined ? Promise.resolve(this.document()) : Promise.reject(this.away);
  }

  document(lifetimeSeconds = 3600): KeySetDocument {
    const issuedAt = Date.now() / 1000;
    return {
      keys: this.keys.map(({ jwk }) => jwk),
      issuedAt,
      expiresAt: issuedAt + lifetimeSeconds,
    };
  }

  claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      aud: this.audience,
      sub: 'user-1',
      sub_type: 'user',
      sid: 'session-1',
      client_id: 'web',
      jti: `token-${Math.random()}`,
      iat: now,
      nbf: now,
      exp: now + 600,
      ...changes,
    };
  }

  /** A token with these claims changed (undefined: left out), and this header. */
  token(
    changes: Record<string, unknown> = {},
    { key = this.key, header = {} }: { key?: TestKey; header?: Record<string, unknown> } = {},
  ): string {
    return signJws(
      { alg: key.alg, typ: 'at+jwt', kid: key.kid, ...header },
      this.claims(changes),
      key,
    );
  }
}

/** A compact JWS of exactly this header and payload, signed the way of the key. */
export function signJws(header: object, payload: object, key: TestKey): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign(
    'sha256',
    Buffer.from(signed),
    key.alg === 'RS256' ? key.privateKey : { key: key.privateKey, dsaEncoding: 'ieee-p1363' },
  );
  return `${signed}.${signature.toString('base64url')}`;
}

export function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function newKey(kid: string, alg: Algorithm): TestKey {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    kid,
    alg,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
  };
}
