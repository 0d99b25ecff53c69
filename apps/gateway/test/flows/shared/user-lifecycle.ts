import { eventually } from '@gatehouse/testing';
import { type Login, type RegisteredUser, type TestPlatform } from '@gatehouse/testing-platform';
import { auditEntries } from '../support/audit-log.ts';
import { eventsEventually, eventsOf } from '../support/event-log.ts';

export function userLifecycle(shared: () => TestPlatform): void {
  describe('what becomes of a user', () => {
    let platform: TestPlatform;
    let administrator: Login;
    beforeAll(async () => {
      platform = shared();
      administrator = await platform.loginAsAdministrator();
      const { status } = await administrator.client.post('/v1/roles', {
        name: 'short-stay',
        permissions: ['identity.user.list'],
      });
      expect(status).toBe(201);
    });

    /** With two sessions, a binding, and an entry of its own in the audit log. */
    const established = async (): Promise<{ user: RegisteredUser; second: Login }> => {
      const user = await platform.registerAndLogin();
      const second = await platform.login(user.email, user.password);
      const bound = await administrator.client.post('/v1/bindings', {
        subject_id: user.userId,
        role: 'short-stay',
        scope: 'platform',
      });
      expect(bound.status).toBe(201);
      await eventually(async () => (await user.client.get('/v1/users')).status === 200);
      const { headers } = await user.client.get('/v1/users/me');
      const patched = await user.client.patch(
        `/v1/users/${user.userId}`,
        { display_name: 'Of short stay' },
        { 'if-match': headers.get('etag') ?? '' },
      );
      expect(patched.status).toBe(200);
      return { user, second };
    };
    const untilRefused = (...logins: Login[]) =>
      eventually(async () => {
        const answers = await Promise.all(logins.map(({ client }) => client.get('/v1/users/me')));
        return answers.every(({ status }) => status === 401);
      });
    const bindingsOf = async (subject: string) => {
      const { body } = await administrator.client.get<{ items: unknown[] }>(
        `/v1/bindings?subject_id=${subject}`,
      );
      return body.items;
    };
    const login = ({ email, password }: RegisteredUser) =>
      platform.client().post('/v1/auth/login', { email, password });
    const traceOf = (traceparent: string | null | undefined) => traceparent?.split('-')[1];

    describe('who is deleted', () => {
      let user: RegisteredUser;
      let second: Login;
      let trace: string | undefined;
      let before: string[];
      beforeAll(async () => {
        ({ user, second } = await established());
        const { client } = administrator;
        before = (await auditEntries(client, { actor: user.userId })).map(({ id }) => id);
        const answer = await client.delete(`/v1/users/${user.userId}`);
        expect(answer.status).toBe(204);
        trace = traceOf(answer.headers.get('traceparent'));
      });

      it('every session ends, and no new one begins', async () => {
        await untilRefused(user, second);
        expect((await login(user)).status).toBe(401);
        const refreshed = await platform
          .client()
          .post('/v1/auth/refresh', { refresh_token: second.refreshToken });
        expect(refreshed.status).toBe(401);
      });

      it('the bindings go', async () => {
        await eventually(async () => (await bindingsOf(user.userId)).length === 0);
      });

      it('the user is not found any more', async () => {
        expect((await administrator.client.get(`/v1/users/${user.userId}`)).status).toBe(404);
        expect(
          await platform.database('identity')('SELECT FROM users WHERE id = $1', [user.userId]),
        ).toEqual([]);
        const [left] = await platform.database('auth')(
          'SELECT password_hash, deleted FROM credentials WHERE user_id = $1',
          [user.userId],
        );
        expect(left).toEqual({ password_hash: null, deleted: true });
      });

      it('each service publishes what it did, in the trace of the deletion and in its name', async () => {
        const [deleted] = await eventsEventually(platform, 'identity.user.deleted.v1', user.userId);
        expect(deleted).toMatchObject({ source: 'identity', data: { user_id: user.userId } });
        const ended = await eventsEventually(platform, 'auth.session.revoked.v1', user.userId, 2);
        expect(ended.map(({ data }) => data.session_id).sort()).toEqual(
          [user.sessionId, second.sessionId].sort(),
        );
        expect(ended.map(({ data }) => data.reason)).toEqual(['user_deleted', 'user_deleted']);
        const [unbound] = await eventsEventually(platform, 'authz.binding.deleted.v1', user.userId);
        expect(unbound).toMatchObject({ source: 'authz', data: { role: 'short-stay' } });
        const grants = await eventsEventually(platform, 'authz.grants.changed.v1', user.userId, 2);
        expect(grants.at(-1)?.data.bindings).toEqual([]);
        for (const event of [deleted, ...ended, unbound, grants.at(-1)]) {
          expect(traceOf(event?.traceparent)).toBe(trace);
          expect(event?.userid).toBe(administratorId());
        }
      });

      it('the audit trail stays, with the deletion at its end', async () => {
        const { client } = administrator;
        const [last] = await auditEntries(client, {
          target: user.userId,
          action: 'identity.user.delete',
        });
        expect(last).toMatchObject({
          outcome: 'success',
          recorded_by: 'identity',
          actor: { type: 'user', id: administratorId() },
          trace_id: trace,
        });
        const after = (await auditEntries(client, { actor: user.userId })).map(({ id }) => id);
        expect(after).toEqual(expect.arrayContaining(before));
      });

      it('whoever registers the address again is somebody else', async () => {
        const next = await platform.registerAndLogin(user.email);
        expect(next.userId).not.toBe(user.userId);
        expect((await next.client.get('/v1/users')).status).toBe(403);
      });
    });

    describe('who is deactivated and reactivated', () => {
      let user: RegisteredUser;
      let second: Login;
      beforeAll(async () => {
        ({ user, second } = await established());
      });
      const set = (what: 'deactivate' | 'reactivate') =>
        administrator.client.post(`/v1/users/${user.userId}/${what}`);

      it('is out while deactivated, with the bindings kept', async () => {
        expect((await set('deactivate')).status).toBe(200);
        await untilRefused(user, second);
        const refused = await login(user);
        expect([refused.status, refused.body.code]).toEqual([403, 'ACCOUNT_DISABLED']);
        const ended = await eventsEventually(platform, 'auth.session.revoked.v1', user.userId, 2);
        expect(ended.map(({ data }) => data.reason)).toEqual([
          'user_deactivated',
          'user_deactivated',
        ]);
        expect(await bindingsOf(user.userId)).toHaveLength(1);
        expect(await eventsOf(platform, 'authz.binding.deleted.v1', user.userId)).toEqual([]);
      });

      it('is back when reactivated, by a new session and not by an old one', async () => {
        expect((await set('reactivate')).status).toBe(200);
        const again = await eventually(() => platform.login(user.email, user.password));
        // Auth hears of it by an event, the edge from Auth.
        await eventually(async () => (await again.client.get('/v1/users')).status === 200);
        for (const { client } of [user, second]) {
          expect((await client.get('/v1/users/me')).status).toBe(401);
        }
      });

      it('leaves an entry for each step', async () => {
        for (const action of ['identity.user.deactivate', 'identity.user.reactivate']) {
          const [entry] = await auditEntries(administrator.client, { target: user.userId, action });
          expect(entry).toMatchObject({ outcome: 'success', actor: { id: administratorId() } });
        }
      });
    });

    const administratorId = () => platform.administrator.userId;
  });
}
