import { NotAuthenticated, ServiceUnavailable, TokenExpired } from '@gatehouse/contracts-platform';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { FakeRevocationSource } from '../testing/fake-sources.ts';
import { TestIssuer } from '../testing/test-issuer.ts';
import { tokenAttacks } from '../testing/token-attacks.ts';
import { JwtAuthenticator } from './jwt-authenticator.ts';
import { KeySet } from './key-set.ts';
import { RevocationView } from './revocation-view.ts';

describe.each(['RS256', 'ES256'] as const)('JwtAuthenticator with %s', (algorithm) => {
  const issuer = new TestIssuer([algorithm]);
  const keys = new KeySet(issuer, { unknownKeyIntervalMs: 60_000 });
  const revocations = new FakeRevocationSource();
  const view = new RevocationView(revocations, { silenceMs: 60_000 });
  const authenticator = new JwtAuthenticator(keys, view, issuer.expectations);

  beforeAll(async () => {
    await keys.refresh();
    view.start();
    (await revocations.streams.nth(1)).send({ head: 0 });
    await view.whenReady();
  });
  afterAll(() => view.stop());

  it('accepts a token of Auth and says whose it is', async () => {
    const token = issuer.token();
    const { principal } = await authenticator.authenticate(`Bearer ${token}`);
    expect(principal).toMatchObject({ id: 'user-1', sessionId: 'session-1', token });
  });

  it.each(Object.entries(tokenAttacks(issuer)))('refuses %s', async (_name, token) => {
    await expect(authenticator.authenticate(`Bearer ${token}`)).rejects.toThrow(NotAuthenticated);
  });

  it.each(['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer  ', ''])(
    'refuses the header "%s"',
    async (header) => {
      await expect(authenticator.authenticate(header)).rejects.toThrow(NotAuthenticated);
    },
  );

  it('tells an expired token apart', async () => {
    const exp = Math.floor(Date.now() / 1000) - 60;
    const token = issuer.token({ exp, iat: exp - 600, nbf: exp - 600 });
    await expect(authenticator.authenticate(`Bearer ${token}`)).rejects.toThrow(TokenExpired);
  });

  it('refuses a token of a revoked session, a disabled subject and a disabled client', async () => {
    revocations.streams.opened[0]!.send(
      { change: { number: 1, item: 'session', id: 'ended', revoked: true } },
      { change: { number: 2, item: 'subject', id: 'gone', revoked: true } },
      { change: { number: 3, item: 'client', id: 'off', revoked: true } },
      { head: 3 },
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const claims of [{ sid: 'ended' }, { sub: 'gone' }, { client_id: 'off' }]) {
      const attempt = authenticator.authenticate(`Bearer ${issuer.token(claims)}`);
      await expect(attempt).rejects.toThrow(NotAuthenticated);
    }
  });

  it('answers 503, never 401, while keys or revocations are not known', async () => {
    const header = `Bearer ${issuer.token()}`;
    const expected = issuer.expectations;
    const noKeys = new JwtAuthenticator(new KeySet(issuer), view, expected);
    await expect(noKeys.authenticate(header)).rejects.toThrow(ServiceUnavailable);
    const noView = new JwtAuthenticator(keys, new RevocationView(revocations), expected);
    await expect(noView.authenticate(header)).rejects.toThrow(ServiceUnavailable);
  });
});
