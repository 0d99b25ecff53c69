import { randomBytes } from 'node:crypto';

import { TokenVerifier } from '@gatehouse/guards';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Answer, type AuthInstance, AuthPlatform, bearer } from './support/auth-platform.ts';
import { ANN, logIn, register } from './support/people.ts';

describe('service accounts', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;
  let admin: Record<string, string>;
  let user: Record<string, string>;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
    await register(auth, ANN);
    const root = { ...ANN, email: 'root@example.com' };
    await register(auth, root);
    platform.authz.administrators.add(platform.identity.byEmail(root.email)?.id ?? '');
    admin = bearer((await logIn(auth, root)).access_token);
    user = bearer((await logIn(auth, ANN)).access_token);
  }, 60_000);
  afterAll(() => platform.stop());

  const create = (name = `client ${randomBytes(4).toString('hex')}`, headers = {}) =>
    auth.post('/v1/auth/clients', { name }, { ...admin, ...headers });
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  });
  const token = (parameters: Record<string, string>, headers = {}): Promise<Answer> =>
    auth.post('/oauth2/token', new URLSearchParams(parameters), headers);
  const credentials = { grant_type: 'client_credentials' };

  describe('are administered', () => {
    it('by those who may, in the scope of the platform', async () => {
      const refused = await auth.post('/v1/auth/clients', { name: 'x' }, user);
      expect(refused).toMatchObject({ status: 403, body: { code: 'PERMISSION_DENIED' } });
      expect((await auth.post('/v1/auth/clients', { name: 'x' })).status).toBe(401);
    });

    it('from creation to deletion, the secret shown once', async () => {
      const created = await create();
      expect(created).toMatchObject({ status: 201, body: { version: 1 } });
      const { id, client_id: clientId, client_secret: secret, name } = created.body;
      expect(clientId).toBe(id);
      expect(secret).toMatch(/^gcs_[\w-]{43}$/);
      expect(created.headers.get('location')).toBe(`/v1/auth/clients/${id}`);
      expect(created.headers.get('cache-control')).toBe('no-store');

      const path = `/v1/auth/clients/${id}`;
      const read = await auth.fetch('GET', path, undefined, admin);
      expect(read.body).toEqual(expect.objectContaining({ id, name }));
      expect(JSON.stringify(read.body)).not.toContain('secret":');
      const list = await auth.fetch('GET', '/v1/auth/clients', undefined, admin);
      expect(list.body.items[0]).toEqual(read.body);

      expect((await auth.fetch('PATCH', path, { description: 'a' }, admin)).status).toBe(428);
      const patched = await auth.fetch(
        'PATCH',
        path,
        { description: 'of the night' },
        { ...admin, 'if-match': '"1"' },
      );
      expect(patched).toMatchObject({
        status: 200,
        body: { description: 'of the night', version: 2 },
      });
      const stale = await auth.fetch('DELETE', path, undefined, { ...admin, 'if-match': '"1"' });
      expect(stale.status).toBe(412);
      expect((await auth.fetch('DELETE', path, undefined, admin)).status).toBe(204);
      expect(await auth.fetch('GET', path, undefined, admin)).toMatchObject({
        status: 404,
        body: { code: 'CLIENT_NOT_FOUND' },
      });
    });

    it('with names of their own', async () => {
      const name = `client ${randomBytes(4).toString('hex')}`;
      await create(name);
      expect(await create(name.toUpperCase())).toMatchObject({
        status: 409,
        body: { code: 'CLIENT_EXISTS' },
      });
    });

    it('once by an Idempotency-Key, whose stored answer shows no secret', async () => {
      const key = { 'idempotency-key': randomBytes(8).toString('hex') };
      const name = `client ${randomBytes(4).toString('hex')}`;
      const [first, second] = [await create(name, key), await create(name, key)];
      expect(second.body).toEqual(first.body);
      const [kept] = await auth.query<{ text: string }>(
        `SELECT string_agg(row_to_json(k)::text, '') AS text FROM idempotency_keys k`,
      );
      expect(kept?.text).not.toContain(first.body.client_secret);
    });

    it('without members that nobody may set', async () => {
      for (const more of [
        { id: randomBytes(4).toString('hex') },
        { secret_hash: 'x' },
        { organization_id: null },
      ])
        expect(await auth.post('/v1/auth/clients', { name: 'x', ...more }, admin)).toMatchObject({
          status: 400,
          body: { code: 'VALIDATION_FAILED' },
        });
    });
  });

  describe('get a token', () => {
    it('by their secret, in the header or in the body, for themselves', async () => {
      const { id, client_secret: secret } = (await create()).body;
      for (const answer of [
        await token(credentials, basic(id, secret)),
        await token({ ...credentials, client_id: id, client_secret: secret }),
      ]) {
        expect(answer).toMatchObject({
          status: 200,
          body: { token_type: 'Bearer', expires_in: 600 },
        });
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect(answer.headers.get('pragma')).toBe('no-cache');
        expect(answer.body).not.toHaveProperty('refresh_token');
        expect(auth.get(TokenVerifier).verify(answer.body.access_token).principal).toMatchObject({
          id,
          type: 'service',
          clientId: id,
          sessionId: id,
        });
      }
    });

    it('no more by a secret that was replaced', async () => {
      const { id, client_secret: old } = (await create()).body;
      const rotated = await auth.post(`/v1/auth/clients/${id}/rotate-secret`, undefined, admin);
      expect(rotated.status).toBe(200);
      expect((await token(credentials, basic(id, old))).status).toBe(401);
      const answer = await token(credentials, basic(id, rotated.body.client_secret));
      expect(answer.status).toBe(200);
    });

    it('that is worth nothing within a second of their deletion', async () => {
      const { id, client_secret: secret } = (await create()).body;
      const { access_token: text } = (await token(credentials, basic(id, secret))).body;
      const use = () => auth.fetch('GET', '/v1/auth/sessions', undefined, bearer(text));
      expect((await use()).status).toBe(200);
      await auth.fetch('DELETE', `/v1/auth/clients/${id}`, undefined, admin);
      await eventually(async () => expect((await use()).status).toBe(401), {
        timeoutMs: 1000,
        intervalMs: 20,
      });
      expect((await token(credentials, basic(id, secret))).status).toBe(401);
    });
  });

  describe('are told in the form of RFC 6749 5.2', () => {
    it.each([
      ['no grant type', {}, 400, 'invalid_request'],
      ['a grant type that is not there', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
      ['no client', credentials, 401, 'invalid_client'],
      [
        'an unknown client',
        { ...credentials, client_id: 'x', client_secret: 'y' },
        401,
        'invalid_client',
      ],
      ['a scope', { ...credentials, scope: 'everything' }, 400, 'invalid_scope'],
      ['the public client', { ...credentials, client_id: 'gatehouse' }, 400, 'unauthorized_client'],
      [
        'a refresh token that is none',
        { grant_type: 'refresh_token', client_id: 'gatehouse', refresh_token: 'x' },
        400,
        'invalid_grant',
      ],
      [
        'no refresh token',
        { grant_type: 'refresh_token', client_id: 'gatehouse' },
        400,
        'invalid_request',
      ],
    ])('%s', async (_what, parameters, status, error) => {
      const answer = await token(parameters);
      expect(answer).toMatchObject({ status, body: { error } });
      expect(answer.headers.get('cache-control')).toBe('no-store');
      if (status === 401) expect(answer.headers.get('www-authenticate')).toContain('Basic');
    });

    it('a parameter that stands twice', async () => {
      const twice = new URLSearchParams([
        ['grant_type', 'client_credentials'],
        ['grant_type', 'refresh_token'],
      ]);
      expect(await auth.post('/oauth2/token', twice)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      });
    });

    it('what they do not know is ignored, a body that is no form is not', async () => {
      expect(await token({ ...credentials, more: 'x' })).toMatchObject({
        body: { error: 'invalid_client' },
      });
      expect((await auth.post('/oauth2/token', credentials)).status).toBe(415);
    });
  });

  it('cannot use the refresh token of a user, whose session goes on', async () => {
    const { id, client_secret: secret } = (await create()).body;
    const { refresh_token: refreshToken } = await logIn(auth, ANN);
    const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken };
    expect(await token(parameters, basic(id, secret))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect(await token(parameters)).toMatchObject({ status: 401 });
    const own = await token({ ...parameters, client_id: 'gatehouse' });
    expect(own).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    expect(own.body.refresh_token).toBeDefined();
  });
});
