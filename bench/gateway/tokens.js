import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

export const ISSUER = 'http://127.0.0.1:8080';
export const AUDIENCE = 'gatehouse';
const KID = 'bench';

/** A signing key for one run, as PEM to hand to the gateway's process. */
export function makeKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** The public half, as Auth would publish it. */
export function jwkOf(pem) {
  const jwk = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' });
  return { ...jwk, kid: KID, alg: 'RS256', use: 'sig' };
}

/** An access token as Auth signs it (RFC 9068). */
export function accessToken(pem, subject) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: subject,
    aud: AUDIENCE,
    iat: now,
    nbf: now,
    exp: now + 3600,
    jti: `jti-${subject}`,
    client_id: 'web',
    sid: `session-${subject}`,
    sub_type: 'user',
  };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: KID })}.${encode(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), createPrivateKey(pem)).toString('base64url')}`;
}
