import { createHmac, createPublicKey } from 'node:crypto';

import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { SessionStore } from '../src/sessions/session.store.ts';
import { type Answer, type AuthInstance, AuthPlatform, bearer } from './support/auth-platform.ts';
import { ANN, logIn, somebody } from './support/people.ts';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the routes of auth', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;
  let gateway: Record<string, string>;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
    gateway = await platform.throughGateway();
    await post('/v1/auth/register', ANN);
  }, 60_000);
  afterAll(() => platform.stop());

  const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
    auth.post(path, body, { ...gateway, ...headers });

  it('answer a known and an unknown address with the same bytes, at registration and at login', async () => {
    const same = (answer: Answer) => ({
      status: answer.status,
      body: { ...answer.body, request_id: undefined },
    });
    const { email } = somebody();
    expect(same(await post('/v1/auth/register', { ...ANN, email }))).toEqual(
      same(await post('/v1/auth/register', ANN)),
    );
    const wrong = 'a guess, and a wrong one';
    const known = await post('/v1/auth/login', { ...ANN, password: wrong });
    const unknown = await post('/v1/auth/login', { ...somebody(), password: wrong });
    expect(known).toMatchObject({ status: 401, body: { code: 'INVALID_CREDENTIALS' } });
    expect(same(known)).toEqual(same(unknown));
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(names(known.headers)).toEqual(names(unknown.headers));
  });

  it.each(['id', 'roles', 'emailVerified', 'email_verified', 'orgId', 'organization_id', 'status'])(
    'take no `%s` at registration',
    async (member) => {
      const answer = await post('/v1/auth/register', { ...somebody(), [member]: newId() });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED', errors: [{ pointer: `/${member}` }] },
      });
    },
  );

  it('say what is wrong with a password, and do not repeat it', async () => {
    const answer = await post('/v1/auth/register', { ...somebody(), password: 'short one' });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'PASSWORD_TOO_SHORT', errors: [{ pointer: '/password' }] },
    });
    expect(JSON.stringify(answer.body)).not.toContain('short one');
  });

  it("show a user the own sessions with where they came from, sealed at rest, and nobody else's", async () => {
    const bob = somebody();
    await post('/v1/auth/register', bob);
    const { access_token: token, session_id: id } = await logIn(auth, ANN);
    const { access_token: bobs } = await logIn(auth, bob);
    const list = await auth.fetch('GET', '/v1/auth/sessions', undefined, bearer(token));
    expect(list.body.items[0]).toMatchObject({
      id,
      current: true,
      ip: '203.0.113.1',
      user_agent: 'a test',
    });
    const session = await auth.get(SessionStore).rows.findOneByOrFail({ id });
    expect(session.sealedOrigin.toString('latin1')).not.toContain('a test');

    const foreign = await auth.fetch('DELETE', `/v1/auth/sessions/${id}`, undefined, bearer(bobs));
    expect(foreign).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
    const none = await auth.fetch(
      'DELETE',
      `/v1/auth/sessions/${newId()}`,
      undefined,
      bearer(bobs),
    );
    expect(none.status).toBe(404);
    const own = await auth.fetch('DELETE', `/v1/auth/sessions/${id}`, undefined, bearer(token));
    expect(own.status).toBe(204);
  });

  it('end every session of a user at once', async () => {
    const bob = somebody();
    await post('/v1/auth/register', bob);
    const [one] = [await logIn(auth, bob), await logIn(auth, bob)];
    const answer = await auth.fetch(
      'DELETE',
      '/v1/auth/sessions',
      undefined,
      bearer(one.access_token),
    );
    expect(answer).toMatchObject({ status: 204, body: undefined });
    const id = platform.identity.byEmail(bob.email)?.id;
    expect(
      await auth.query(`SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`, [id]),
    ).toEqual([]);
  });

  it('refuse tokens whose algorithm or key was tampered with', async () => {
    const { access_token: token } = await logIn(auth, ANN);
    const [, payload = '', signature = ''] = token.split('.');
    const jwks = await auth.fetch('GET', '/.well-known/jwks.json');
    const [jwk] = jwks.body.keys;
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    const header = { typ: 'at+jwt', alg: 'RS256', kid: jwk.kid };
    const hs256 = `${encode({ ...header, alg: 'HS256' })}.${payload}`;
    for (const forged of [
      `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`,
      `${encode({ ...header, alg: 'none' })}.${payload}.`,
      `${encode({ ...header, alg: undefined })}.${payload}.${signature}`,
      `${encode({ ...header, kid: '../../etc/passwd' })}.${payload}.${signature}`,
      `${encode({ ...header, kid: "' OR 1=1 --" })}.${payload}.${signature}`,
      `${encode({ ...header, jwk })}.${payload}.${signature}`,
      `${encode({ ...header, jku: 'http://127.0.0.1/jwks' })}.${payload}.${signature}`,
      `${encode({ ...header, crit: ['x'] })}.${payload}.${signature}`,
    ]) {
      const answer = await auth.fetch('GET', '/v1/auth/sessions', undefined, bearer(forged));
      expect(answer.status).toBe(401);
    }
    expect((await auth.fetch('GET', '/v1/auth/sessions', undefined, bearer(token))).status).toBe(
      200,
    );
  });

  it('leave audit entries that name no address, and seal where a call came from', async () => {
    const bob = somebody();
    const id = () => platform.identity.byEmail(bob.email)?.id;
    await post('/v1/auth/register', bob, { 'user-agent': 'Firefox' });
    await post('/v1/auth/login', { ...bob, password: 'a guess, and a wrong one' });
    await post('/v1/auth/login', { email: 'nobody@example.com', password: 'a guess' });
    const { body } = await post('/v1/auth/login', bob, { 'user-agent': 'Firefox' });
    await post('/v1/auth/logout', undefined, bearer(body.access_token));
    const rows = await auth.query<{ payload: AuditRow | string }>(
      `SELECT payload FROM outbox WHERE channel = 'audit' ORDER BY id`,
    );
    const entries = rows.map(({ payload }) =>
      typeof payload === 'string' ? (JSON.parse(payload) as AuditRow) : payload,
    );
    const text = JSON.stringify(entries);
    expect(text).not.toContain('@example.com');
    expect(text).not.toContain('guess');
    const mine = entries.slice(-6).map(({ action, outcome, reason }) => [action, outcome, reason]);
    expect(mine).toEqual([
      ['auth.registration.start', 'success', ''],
      ['auth.registration.create', 'success', ''],
      ['auth.session.start', 'failure', 'INVALID_CREDENTIALS'],
      ['auth.session.start', 'failure', 'INVALID_CREDENTIALS'],
      ['auth.session.start', 'success', ''],
      ['auth.session.end', 'success', ''],
    ]);
    expect(entries.at(-2)).toMatchObject({
      actor: { type: 'user', id: id(), sessionId: body.session_id },
      personal: expect.arrayContaining([
        { subjectId: id(), name: 'user_agent', value: 'Firefox' },
      ]) as unknown,
    });
    expect(entries.at(-1)).toMatchObject({ target: { type: 'session', id: body.session_id } });
  });

  it('limit registrations, logins and refreshes by address', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 70; i++)
      statuses.push((await auth.post('/v1/auth/refresh', { refresh_token: 'x' })).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  });

  it('show their metrics on the admin listener', async () => {
    const text = await (await fetch(`${auth.service.adminUrl}/metrics`)).text();
    for (const name of [
      'auth_logins_total{result="success"',
      'auth_logins_total{result="invalid_credentials"',
      'auth_password_hash_duration_seconds_count',
      'auth_tokens_issued_total{grant="password"',
      'auth_signing_key_age_seconds',
    ])
      expect(text).toContain(name);
  });
});

interface AuditRow {
  action: string;
  outcome: string;
  reason: string;
}
