import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { TestIssuer, tokenAttacks } from '@gatehouse/guards/testing';
import type { TestPlatform } from '@gatehouse/testing-platform';

/**
 * Tokens that must be refused (security.md, classes 1 and 2), made as an outsider can make them: with the claims of a real
 * token and the platform's own public key, but without its private one.
 */
export async function attackTokens(
  platform: TestPlatform,
  accessToken: string,
): Promise<Record<string, string>> {
  const [jwk] = await publishedKeys(platform);
  if (jwk?.kid === undefined) throw new Error('Auth publishes no key');
  const [header = '', payload = '', signature = ''] = accessToken.split('.');
  const claims = read(payload);
  const issuer = new TestIssuer();
  issuer.keys[0] = {
    ...issuer.key,
    kid: jwk.kid,
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
    jwk,
  };
  issuer.claims = (changes) => ({ ...claims, ...changes });
  const changed = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const attacks = {
    ...tokenAttacks(issuer),
    'another subject under the real signature': `${header}.${changed({ ...claims, sub: platform.administrator.userId })}.${signature}`,
    'a later expiry under the real signature': `${header}.${changed({ ...claims, exp: Number(claims.exp) + 3600 })}.${signature}`,
    'another header over the real signature': `${changed({ ...read(header), b64: true })}.${payload}.${signature}`,
  };
  // What no client can put into a header field is refused before it is a token.
  return Object.fromEntries(
    Object.entries(attacks).filter(([, token]) => /^[\x21-\x7e]*$/.test(token)),
  );
}

/** Tokens by keys that nobody knows, each by another. */
export function strangersTokens(count: number): string[] {
  const issuer = new TestIssuer();
  return Array.from({ length: count }, (_each, index) =>
    issuer.token({}, { header: { kid: `stranger-${index}` } }),
  );
}

interface PublishedKey extends JsonWebKey {
  kid?: string;
}

async function publishedKeys(platform: TestPlatform): Promise<PublishedKey[]> {
  const answer = await fetch(`${platform.gatewayUrl}/.well-known/jwks.json`);
  return ((await answer.json()) as { keys: PublishedKey[] }).keys;
}

function read(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
}
