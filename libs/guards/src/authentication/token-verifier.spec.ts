import { NotAuthenticated, ServiceUnavailable, TokenExpired } from '@gatehouse/contracts-platform';
import { beforeEach, describe, expect, it } from '@jest/globals';

import { TestIssuer } from '../testing/test-issuer.ts';
import { tokenAttacks } from '../testing/token-attacks.ts';
import { KeySet } from './key-set.ts';
import { TokenVerifier } from './token-verifier.ts';

describe.each(['RS256', 'ES256'] as const)('TokenVerifier with %s', (algorithm) => {
  const issuer = new TestIssuer([algorithm]);
  const expected = issuer.expectations;
  let keys: KeySet;
  let verifier: TokenVerifier;

  beforeEach(async () => {
    keys = new KeySet(issuer);
    await keys.refresh();
    verifier = new TokenVerifier(keys, expected);
  });

  it('accepts a token of Auth and says whose it is', () => {
    const token = issuer.token({ org: 'org-1' });
    expect(verifier.verify(token).principal).toMatchObject({
      id: 'user-1',
      type: 'user',
      sessionId: 'session-1',
      clientId: 'web',
      organizationId: 'org-1',
      token,
    });
  });

  it('accepts an audience list that names the platform', () => {
    expect(verifier.verify(issuer.token({ aud: ['other', 'gatehouse'] })).principal.id).toBe(
      'user-1',
    );
  });

  it.each(Object.entries(tokenAttacks(issuer)))('refuses %s', (_name, token) => {
    expect(() => verifier.verify(token)).toThrow(NotAuthenticated);
    // Nor the second time, from whatever was remembered.
    expect(() => verifier.verify(token)).toThrow(NotAuthenticated);
  });

  it('tells an expired token apart', () => {
    const exp = Math.floor(Date.now() / 1000) - 60;
    expect(() => verifier.verify(issuer.token({ exp, iat: exp - 600, nbf: exp - 600 }))).toThrow(
      TokenExpired,
    );
  });

  it('tolerates clocks that differ a little', () => {
    const now = Math.floor(Date.now() / 1000);
    expect(verifier.verify(issuer.token({ exp: now - 5 })).expiresAt).toBe(now - 5);
    expect(verifier.verify(issuer.token({ nbf: now + 5, iat: now + 5 })).notBefore).toBe(now + 5);
  });

  it('answers from the cache the second time, with the same object', () => {
    const token = issuer.token();
    expect(verifier.verify(token)).toBe(verifier.verify(token.slice()));
    expect(verifier.tally).toMatchObject({ cached: 1, verified: 1 });
  });

  it('does not confuse two tokens that end alike', () => {
    const token = issuer.token();
    verifier.verify(token);
    const [head = '', , signature = ''] = token.split('.');
    const forged = `${head}.${issuer.token({ sub: 'root' }).split('.')[1] ?? ''}.${signature}`;
    expect(() => verifier.verify(forged)).toThrow(NotAuthenticated);
  });

  it('refuses a cached token once it has expired', () => {
    let now = Date.now() / 1000;
    const timed = new TokenVerifier(keys, { ...expected, now: () => now });
    const token = issuer.token();
    timed.verify(token);
    now += 700;
    expect(() => timed.verify(token)).toThrow(TokenExpired);
  });

  it('keeps no more tokens than it may', () => {
    const small = new TokenVerifier(keys, { ...expected, cacheSize: 4 });
    const tokens = Array.from({ length: 20 }, () => issuer.token());
    for (const token of tokens) small.verify(token);
    small.verify(tokens[0]!);
    expect(small.tally).toMatchObject({ cached: 0, verified: 21 });
  });
});

describe('TokenVerifier and the key set', () => {
  it('answers 503, never 401, before it has keys', () => {
    const issuer = new TestIssuer();
    const verifier = new TokenVerifier(new KeySet(issuer), issuer.expectations);
    expect(() => verifier.verify(issuer.token())).toThrow(ServiceUnavailable);
  });

  it('refuses a cached token once its key is withdrawn, and keeps it while the key stays', async () => {
    const issuer = new TestIssuer();
    const other = issuer.addKey('other');
    const keys = new KeySet(issuer);
    await keys.refresh();
    const verifier = new TokenVerifier(keys, issuer.expectations);
    const [stays, goes] = [issuer.token(), issuer.token({}, { key: other })];
    verifier.verify(stays);
    verifier.verify(goes);
    issuer.keys.pop();
    await keys.refresh();
    verifier.verify(stays);
    expect(verifier.tally).toMatchObject({ verified: 2, cached: 1, invalid: 0 });
    expect(() => verifier.verify(goes)).toThrow(NotAuthenticated);
  });

  it('takes a key it did not know by one read of the set', async () => {
    const issuer = new TestIssuer();
    const keys = new KeySet(issuer);
    await keys.refresh();
    const verifier = new TokenVerifier(keys, issuer.expectations);
    const token = issuer.token({}, { key: issuer.addKey('new') });
    await expect(verifier.verifyOrRefresh(token)).resolves.toMatchObject({
      principal: { id: 'user-1' },
    });
    expect(issuer.loads).toBe(2);
  });

  it('reads the set once, however many unknown key ids arrive', async () => {
    const issuer = new TestIssuer();
    const keys = new KeySet(issuer);
    await keys.refresh();
    const verifier = new TokenVerifier(keys, issuer.expectations);
    for (let i = 0; i < 200; i += 1) {
      const token = issuer.token({}, { header: { kid: `made-up-${i}` } });
      await expect(verifier.verifyOrRefresh(token)).rejects.toThrow(NotAuthenticated);
      expect(() => verifier.verify(token)).toThrow(NotAuthenticated);
    }
    expect(issuer.loads).toBe(2);
  });
});

describe('TokenVerifier counts', () => {
  it('each presented token once, by what became of it', async () => {
    const issuer = new TestIssuer();
    const keys = new KeySet(issuer);
    const verifier = new TokenVerifier(keys, issuer.expectations);
    const present = (token: string) => verifier.verifyOrRefresh(token).catch(() => undefined);
    await present(issuer.token());
    await keys.refresh();
    const token = issuer.token();
    for (let times = 0; times < 3; times++) await present(token);
    await present(issuer.token({ exp: 1, iat: 0 }));
    await present(`${token.slice(0, -6)}AAAAAA`);
    await present('no token');
    await present(issuer.token({}, { key: new TestIssuer().addKey('stranger') }));
    expect(verifier.tally).toEqual({
      cached: 2,
      verified: 1,
      expired: 1,
      invalid: 2,
      unknown_key: 1,
      unavailable: 1,
    });
  });
});
