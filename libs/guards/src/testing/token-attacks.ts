import { createHmac } from 'node:crypto';

import { encode, signJws, type TestIssuer, type TestKey } from './test-issuer.ts';

/** Tokens that must be refused with 401, by what is wrong with them (security.md, classes 1 and 2, and the claims). */
export function tokenAttacks(issuer: TestIssuer): Record<string, string> {
  const { key } = issuer;
  const stranger: TestKey = { ...issuer.key, ...strangerKeys(issuer) };
  const header = { alg: key.alg, typ: 'at+jwt', kid: key.kid };
  const [head = '', payload = '', signature = ''] = issuer.token().split('.');
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
  const hmac = (secret: string | Buffer, alg = 'HS256'): string => {
    const signed = `${encode({ ...header, alg })}.${encode(issuer.claims())}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const withHeader = (changes: Record<string, unknown>): string =>
    issuer.token({}, { header: changes });
  return {
    'HS256 with the public PEM as the secret': hmac(pem),
    'HS256 with the public DER as the secret': hmac(
      key.publicKey.export({ type: 'spki', format: 'der' }),
    ),
    'alg none': `${encode({ ...header, alg: 'none' })}.${payload}.`,
    'alg None with a signature': `${encode({ ...header, alg: 'None' })}.${payload}.${signature}`,
    'no alg': withHeader({ alg: undefined }),
    'alg RS512': withHeader({ alg: 'RS512' }),
    'alg of another key type': withHeader({ alg: key.alg === 'RS256' ? 'ES256' : 'RS256' }),
    'no kid': withHeader({ kid: undefined }),
    'an empty kid': withHeader({ kid: '' }),
    'a kid that is no text': withHeader({ kid: { toString: key.kid } }),
    'an unknown kid': withHeader({ kid: 'unknown' }),
    'a kid that is a path': withHeader({ kid: '../../dev/null' }),
    'a kid that is SQL': withHeader({ kid: "x' OR '1'='1" }),
    'a kid of the prototype': withHeader({ kid: '__proto__' }),
    'its own key in jwk': signJws({ ...header, jwk: stranger.jwk }, issuer.claims(), stranger),
    'its own key behind jku': signJws(
      { ...header, jku: 'https://evil.test/jwks.json' },
      issuer.claims(),
      stranger,
    ),
    'x5u, though signed well': withHeader({ x5u: 'https://evil.test/cert.pem' }),
    'x5c, though signed well': withHeader({ x5c: ['MIIB'] }),
    'an unknown crit': withHeader({ crit: ['exp'] }),
    'b64 false': withHeader({ crit: ['b64'], b64: false }),
    'typ JWT': withHeader({ typ: 'JWT' }),
    'no typ': withHeader({ typ: undefined }),
    'a signature by another key': signJws(header, issuer.claims(), stranger),
    'no signature': `${head}.${payload}.`,
    'two parts': `${head}.${payload}`,
    'four parts': `${head}.${payload}.${signature}.${signature}`,
    'characters that base64 decoders skip': `${head}.${payload}.${signature.slice(0, 10)}\n${signature.slice(10)}`,
    padding: `${head}.${payload}.${signature}==`,
    'another payload under the signature': `${head}.${encode(issuer.claims({ sub: 'root' }))}.${signature}`,
    'a payload that is no object': signJws(header, [issuer.claims()], key),
    'another issuer': issuer.token({ iss: 'https://evil.test' }),
    'the issuer with a slash': issuer.token({ iss: `${issuer.issuer}/` }),
    'no issuer': issuer.token({ iss: undefined }),
    'another audience': issuer.token({ aud: 'other' }),
    'no audience': issuer.token({ aud: undefined }),
    'an audience list without ours': issuer.token({ aud: ['a', 'b'] }),
    'no subject': issuer.token({ sub: undefined }),
    'a subject that is no text': issuer.token({ sub: 7 }),
    'no subject type': issuer.token({ sub_type: undefined }),
    'an unknown subject type': issuer.token({ sub_type: 'root' }),
    'no session': issuer.token({ sid: undefined }),
    'no client': issuer.token({ client_id: undefined }),
    'no id': issuer.token({ jti: undefined }),
    'an organization that is no text': issuer.token({ org: ['a'] }),
    'no expiry': issuer.token({ exp: undefined }),
    'an expiry that is text': issuer.token({ exp: '9999999999' }),
    'a time to come': issuer.token({ nbf: Math.floor(Date.now() / 1000) + 120 }),
    'issued in time to come': issuer.token({
      nbf: undefined,
      iat: Math.floor(Date.now() / 1000) + 120,
    }),
    nothing: '',
    rubbish: 'rubbish',
    'too much': `${head}.${payload}.${'A'.repeat(10_000)}`,
  };
}

function strangerKeys(issuer: TestIssuer): Pick<TestKey, 'privateKey' | 'publicKey' | 'jwk'> {
  const { privateKey, publicKey, jwk } = issuer.addKey('stranger', issuer.key.alg);
  issuer.keys.pop();
  return { privateKey, publicKey, jwk: { ...jwk, kid: issuer.key.kid } };
}
