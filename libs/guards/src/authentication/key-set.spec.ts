import { generateKeyPairSync } from 'node:crypto';

import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { describe, expect, it } from '@jest/globals';

import { TestIssuer } from '../testing/test-issuer.ts';
import { KeySet } from './key-set.ts';
import { openKeySet, signKeySet, verificationKeys } from './signed-key-set.ts';

describe('KeySet', () => {
  it('serves the last set while Auth is away, until the set expires', async () => {
    let now = Date.now() / 1000;
    const issuer = new TestIssuer();
    const keys = new KeySet(issuer, { now: () => now });
    await keys.refresh();
    issuer.away = new Error('away');
    await expect(keys.refresh()).rejects.toThrow('away');
    expect(keys.find(issuer.key.kid)?.kid).toBe(issuer.key.kid);
    now += 3601;
    expect(() => keys.find(issuer.key.kid)).toThrow(ServiceUnavailable);
  });

  it('does not bring back keys by an older set', async () => {
    const issuer = new TestIssuer();
    const old = issuer.document();
    const keys = new KeySet(issuer);
    issuer.keys.splice(0, 1);
    issuer.addKey('new');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await keys.refresh();
    issuer.load = () => Promise.resolve(old);
    await keys.refresh();
    expect(keys.find('rs256-0')).toBeUndefined();
    expect(keys.find('new')).toBeDefined();
  });

  it('goes on trying until Auth answers', async () => {
    const issuer = new TestIssuer();
    issuer.away = new Error('away');
    const keys = new KeySet(issuer);
    keys.start();
    setTimeout(() => (issuer.away = undefined), 50);
    await keys.whenReady();
    keys.stop();
    expect(keys.ready()).toBe(true);
  });

  it('shares one read between calls at the same time', async () => {
    const issuer = new TestIssuer();
    const keys = new KeySet(issuer);
    await Promise.all([keys.refresh(), keys.refresh(), keys.refreshForUnknownKey()]);
    expect(issuer.loads).toBe(1);
  });
});

describe('the signed key set', () => {
  const service = generateKeyPairSync('ed25519');
  const issuer = new TestIssuer(['RS256', 'ES256']);

  it('comes back as it was signed', () => {
    const document = issuer.document();
    expect(openKeySet(signKeySet(document, service.privateKey), service.publicKey)).toEqual(
      document,
    );
  });

  it('is refused under another key, altered, or signed in another way', () => {
    const jws = signKeySet(issuer.document(), service.privateKey);
    const other = generateKeyPairSync('ed25519');
    expect(() => openKeySet(jws, other.publicKey)).toThrow('signature');
    const [header = '', , signature = ''] = jws.split('.');
    const altered = signKeySet({ ...issuer.document(), keys: [] }, other.privateKey).split('.')[1];
    expect(() => openKeySet(`${header}.${altered}.${signature}`, service.publicKey)).toThrow(
      'signature',
    );
    const none = Buffer.from('{"alg":"none","typ":"jwk-set+jwt"}').toString('base64url');
    expect(() => openKeySet(`${none}.${altered}.`, service.publicKey)).toThrow('not signed');
    expect(() => openKeySet(issuer.token(), service.publicKey)).toThrow('not signed');
    expect(() => openKeySet('a.b', service.publicKey)).toThrow('compact');
  });

  it('leaves out keys that may not verify access tokens', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const { key } = issuer;
    const secret = key.privateKey.export({ format: 'jwk' });
    const jwks = [
      { ...key.jwk, alg: undefined },
      { ...key.jwk, alg: 'HS256' },
      { ...key.jwk, alg: 'ES256' },
      { ...key.jwk, use: 'enc' },
      { ...key.jwk, kid: undefined },
      { ...weak.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' },
      { ...secret, kid: 'private', alg: 'RS256' },
      { kty: 'oct', k: 'c2VjcmV0', kid: 'oct', alg: 'HS256' },
    ];
    expect(verificationKeys(jwks as never).size).toBe(0);
    expect([...verificationKeys(issuer.document().keys).keys()]).toEqual(['rs256-0', 'es256-1']);
  });
});
