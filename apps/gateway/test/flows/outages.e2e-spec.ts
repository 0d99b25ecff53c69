import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import {
  describePlatforms,
  type Login,
  type RegisteredUser,
  type TestPlatform,
} from '@gatehouse/testing-platform';
import { auditEntries } from './support/audit-log.ts';
import { Load, statusOf } from './support/load.ts';
import { millisecondsUntil } from './support/stopwatch.ts';

jest.setTimeout(120_000);

describePlatforms((start) => {
  describe('while a core service is away', () => {
    let platform: TestPlatform;
    let administrator: Login;
    let user: RegisteredUser;
    beforeAll(async () => {
      platform = await start({
        services: ['auth', 'identity', 'authz', 'gateway'],
        env: {
          // Keys change hands in seconds instead of minutes.
          AUTH_SIGNING_KEY_LEAD_SECONDS: '3',
          KEY_SET_REFRESH_SECONDS: '1',
        },
        envOf: {
          gateway: { GATEWAY_ADDRESS_LIMIT: '1000000', GATEWAY_PRINCIPAL_LIMIT: '1000000' },
        },
      });
      administrator = await platform.loginAsAdministrator();
      user = await platform.registerAndLogin();
    });
    afterAll(() => platform.stop());

    const createUser = () =>
      administrator.client.post<{ id: string }>('/v1/users', {
        email: `${randomUUID()}@example.com`,
        display_name: 'Created meanwhile',
      });

    it('a service that starts after the gateway is reachable within two seconds', async () => {
      const { client } = administrator;
      expect((await client.get('/v1/audit/entries')).status).toBe(404);
      await platform.startInstance('audit');
      const took = await millisecondsUntil(
        async () => (await client.get('/v1/audit/entries')).status === 200,
      );
      expect(took).toBeLessThan(2_000);
    });

    it('without Audit, actions go on, and what was done is recorded later', async () => {
      await platform.kill('audit');
      const created = [await createUser(), await createUser(), await createUser()];
      expect(created.map(({ status }) => status)).toEqual([201, 201, 201]);
      // The gateway has no outbox: its denials wait in memory.
      expect((await user.client.get('/v1/users')).status).toBe(403);
      expect((await administrator.client.get('/v1/audit/entries')).status).toBe(503);

      await platform.restart('audit');
      const { client } = administrator;
      await eventually(async () => (await client.get('/v1/audit/entries')).status === 200);
      for (const { body } of created) {
        const entries = await auditEntries(
          client,
          { target: body.id, action: 'identity.user.create' },
          { timeoutMs: 20_000 },
        );
        expect(entries).toHaveLength(1);
      }
      const denied = await auditEntries(
        client,
        { actor: user.userId, outcome: 'denied' },
        { timeoutMs: 20_000 },
      );
      expect(denied[0]).toMatchObject({ recorded_by: 'gateway', reason: 'PERMISSION_DENIED' });
    });

    it('without Authz, what is known is served, and what is not is a 503, never an allow', async () => {
      // Known to the edge and to the service: it has asked for this before.
      expect((await administrator.client.get('/v1/users')).status).toBe(200);
      const strangers = [await platform.registerAndLogin(), await platform.registerAndLogin()];
      const bound = await administrator.client.post('/v1/bindings', {
        subject_id: strangers[0]!.userId,
        role: 'platform-admin',
        scope: 'platform',
      });
      expect(bound.status).toBe(201);
      await platform.kill('authz');

      for (let n = 0; n < 10; n++) {
        expect((await administrator.client.get('/v1/users')).status).toBe(200);
        expect((await user.client.get('/v1/users')).status).toBe(403);
        // One holds the permission and the other does not: nobody can say which.
        for (const { client } of strangers) {
          const { status, headers, body } = await client.get('/v1/users');
          expect([status, body.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
          expect(headers.get('retry-after')).toMatch(/^\d+$/);
        }
      }
      // Nobody need be asked about what is one's own.
      expect((await strangers[1]!.client.get('/v1/users/me')).status).toBe(200);

      await platform.restart('authz');
      await eventually(async () => (await strangers[0]!.client.get('/v1/users')).status === 200, {
        timeoutMs: 10_000,
      });
      expect((await strangers[1]!.client.get('/v1/users')).status).toBe(403);
    });

    it('without Auth, good tokens still pass, bad ones do not, and nobody logs in', async () => {
      expect((await administrator.client.get('/v1/users')).status).toBe(200);
      await platform.kill('auth');
      const [head, payload] = administrator.accessToken.split('.');
      for (let n = 0; n < 10; n++) {
        expect((await administrator.client.get('/v1/users')).status).toBe(200);
        expect((await user.client.get('/v1/users/me')).status).toBe(200);
        const forged = user.client.as(`${head!}.${payload!}.${'A'.repeat(342)}`);
        expect((await forged.get('/v1/users/me')).status).toBe(401);
      }
      const login = await platform.client().post('/v1/auth/login', {
        email: user.email,
        password: user.password,
      });
      expect([login.status, login.body.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
      expect(login.headers.get('retry-after')).toMatch(/^\d+$/);

      await platform.restart('auth');
      await eventually(() => platform.login(user.email, user.password), { timeoutMs: 10_000 });
    });

    it('a session revoked before Auth went stays revoked while it is away', async () => {
      const other = await platform.login(user.email, user.password);
      expect((await user.client.delete(`/v1/auth/sessions/${other.sessionId}`)).status).toBe(204);
      await eventually(async () => (await other.client.get('/v1/users/me')).status === 401);
      await platform.kill('auth');
      for (let n = 0; n < 20; n++) {
        expect((await other.client.get('/v1/users/me')).status).toBe(401);
        expect((await user.client.get('/v1/users/me')).status).toBe(200);
      }
      await platform.restart('auth');
      await eventually(() => platform.login(user.email, user.password), { timeoutMs: 10_000 });
    });

    it('a signing key rotated under load costs nobody a 401', async () => {
      const kidOf = (token: string) =>
        (JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string })
          .kid;
      const old = await platform.login(user.email, user.password);
      let newest = old;
      const logins = new Load(1, async () => {
        newest = await platform.login(user.email, user.password);
        // At once, at the edge and in the service: neither may know the key later than Auth signs with it.
        return [
          await statusOf(newest.client.get('/v1/users/me')),
          await statusOf(newest.client.get('/v1/auth/sessions')),
        ];
      });
      const reads = new Load(2, async () => [
        await statusOf(old.client.get('/v1/users/me')),
        await statusOf(newest.client.get('/v1/users/me')),
      ]);
      await platform.run('auth', 'rotate-keys');
      await eventually(() => kidOf(newest.accessToken) !== kidOf(old.accessToken), {
        timeoutMs: 30_000,
      });
      const seen = logins.done.length;
      await eventually(() => logins.done.length >= seen + 5, { timeoutMs: 20_000 });
      const answers = [...(await logins.stop()), ...(await reads.stop())];
      expect(answers.flatMap(({ result }) => result).filter((status) => status !== 200)).toEqual(
        [],
      );
    });
  });
});
