import { createGrpcClient } from '@gatehouse/clients';
import { authV1, type WatchRevocationsResponse } from '@gatehouse/contracts-auth';
import { TokenVerifier } from '@gatehouse/guards';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type AuthInstance, AuthPlatform, bearer } from './support/auth-platform.ts';

const ANN = { email: 'ann@example.com', password: 'correct horse battery staple' };

describe('an account, from registration to logout', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
  }, 60_000);
  afterAll(() => platform.stop());

  it('registers, logs in, lists its session, refreshes, logs out, and is refused then', async () => {
    expect(await auth.post('/v1/auth/register', { ...ANN, display_name: 'Ann' })).toMatchObject({
      status: 202,
      body: { status: 'accepted' },
    });
    const login = await auth.post('/v1/auth/login', ANN);
    expect(login).toMatchObject({
      status: 200,
      body: { token_type: 'Bearer', expires_in: 600 },
    });
    const { access_token: token, refresh_token: refreshToken, session_id: sid } = login.body;
    const verified = auth.get(TokenVerifier).verify(token);
    expect(verified.principal).toMatchObject({
      id: platform.identity.byEmail(ANN.email)?.id,
      type: 'user',
      sessionId: sid,
    });
    const sessions = await auth.fetch('GET', '/v1/auth/sessions', undefined, bearer(token));
    expect(sessions.body.items).toEqual([expect.objectContaining({ id: sid, current: true })]);

    const refreshed = await auth.post('/v1/auth/refresh', { refresh_token: refreshToken });
    expect(refreshed).toMatchObject({ status: 200, body: { session_id: sid } });
    expect(refreshed.body.refresh_token).not.toBe(refreshToken);

    expect((await auth.post('/v1/auth/logout', undefined, bearer(token))).status).toBe(204);
    await eventually(
      async () =>
        expect(
          (await auth.fetch('GET', '/v1/auth/sessions', undefined, bearer(token))).status,
        ).toBe(401),
      { timeoutMs: 1000, intervalMs: 50 },
    );
    expect(
      await auth.post('/v1/auth/refresh', { refresh_token: refreshed.body.refresh_token }),
    ).toMatchObject({ status: 401, body: { code: 'INVALID_GRANT' } });
  });

  it('shows the outside its public keys, and followers what was revoked, with heartbeats', async () => {
    const jwks = await auth.fetch('GET', '/.well-known/jwks.json');
    expect(jwks.body.keys).toEqual([
      expect.objectContaining({ kty: 'RSA', alg: 'RS256', use: 'sig' }),
    ]);
    expect(jwks.body.keys[0]).not.toHaveProperty('d');

    const client = createGrpcClient(authV1, {
      address: auth.service.grpcAddress ?? '',
      metadata: async () => ({ 'gatehouse-via': await platform.via('identity') }),
    });
    const seen: WatchRevocationsResponse[] = [];
    for await (const event of client.watchRevocations({ after: 0 })) {
      seen.push(event);
      if (seen.filter(({ heartbeat }) => heartbeat != null).length === 3) break;
    }
    client.close();
    expect(seen[0]?.revocation?.session).toMatchObject({ revoked: true });
  });
});
