import { type Login, type TestPlatform } from '@gatehouse/testing-platform';
import { CURRENT_WITHIN_MS, millisecondsUntil } from '../support/stopwatch.ts';

export function sessions(shared: () => TestPlatform): void {
  describe('a session that has ended is refused at the edge within a second', () => {
    let platform: TestPlatform;
    beforeAll(() => {
      platform = shared();
    });

    const status = async ({ client }: Login) => (await client.get('/v1/users/me')).status;
    const untilRefused = (...logins: Login[]) =>
      millisecondsUntil(async () =>
        (await Promise.all(logins.map(status))).every((each) => each === 401),
      );
    /** A user with as many sessions. */
    const sessions = async (count: number) => {
      const user = await platform.registerAndLogin();
      const more: Login[] = [];
      while (more.length + 1 < count) more.push(await platform.login(user.email, user.password));
      const all: Login[] = [user, ...more];
      for (const each of all) expect(await status(each)).toBe(200);
      return { user, all };
    };
    const refresh = ({ client, refreshToken }: Login) =>
      client.as(undefined).post('/v1/auth/refresh', { refresh_token: refreshToken });

    it('by revoking one from another, which goes on', async () => {
      const { all } = await sessions(3);
      const [own, other, third] = all as [Login, Login, Login];
      expect((await own.client.delete(`/v1/auth/sessions/${other.sessionId}`)).status).toBe(204);
      expect(await untilRefused(other)).toBeLessThan(CURRENT_WITHIN_MS);
      const refused = await other.client.get('/v1/users/me');
      expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer /);
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      expect(refused.body.code).toBe('UNAUTHENTICATED');
      expect([await status(own), await status(third)]).toEqual([200, 200]);
      expect((await refresh(other)).status).toBe(401);
      expect((await refresh(third)).status).toBe(200);
    });

    it('by logging out', async () => {
      const { all } = await sessions(2);
      const [own, other] = all as [Login, Login];
      expect((await own.client.post('/v1/auth/logout')).status).toBe(204);
      expect(await untilRefused(own)).toBeLessThan(CURRENT_WITHIN_MS);
      expect(await status(other)).toBe(200);
      expect((await refresh(own)).status).toBe(401);
    });

    it('by ending all of them', async () => {
      const { user, all } = await sessions(3);
      expect((await user.client.delete('/v1/auth/sessions')).status).toBe(204);
      expect(await untilRefused(...all)).toBeLessThan(CURRENT_WITHIN_MS);
      for (const each of all) expect((await refresh(each)).status).toBe(401);
      const again = await platform.login(user.email, user.password);
      expect(await status(again)).toBe(200);
    });

    it('by a change of password, which ends every session but its own', async () => {
      const { user, all } = await sessions(3);
      const [own, ...others] = all as [Login, ...Login[]];
      const password = `${user.password}, and a new one`;
      const changed = await own.client.post('/v1/auth/password/change', {
        current_password: user.password,
        new_password: password,
      });
      expect(changed.status).toBe(204);
      expect(await untilRefused(...others)).toBeLessThan(CURRENT_WITHIN_MS);
      expect(await status(own)).toBe(200);
      for (const each of others) expect((await refresh(each)).status).toBe(401);
      const login = { email: user.email, password: user.password };
      expect((await platform.client().post('/v1/auth/login', login)).status).toBe(401);
      expect(await status(await platform.login(user.email, password))).toBe(200);
    });

    it('and at a service reached directly as well', async () => {
      const { all } = await sessions(2);
      const [own, other] = all as [Login, Login];
      const direct = async () => {
        const answer = await fetch(`${platform.httpUrlOf('identity')}/v1/users/me`, {
          headers: { authorization: `Bearer ${other.accessToken}` },
        });
        await answer.arrayBuffer();
        return answer.status;
      };
      expect(await direct()).toBe(200);
      expect((await own.client.delete(`/v1/auth/sessions/${other.sessionId}`)).status).toBe(204);
      const took = await millisecondsUntil(async () => (await direct()) === 401);
      expect(took).toBeLessThan(CURRENT_WITHIN_MS);
    });

    it('a session of somebody else is not there to be revoked', async () => {
      const { all } = await sessions(1);
      const [own] = all as [Login];
      const stranger = await platform.registerAndLogin();
      const answer = await stranger.client.delete(`/v1/auth/sessions/${own.sessionId}`);
      expect(answer.status).toBe(404);
      expect(await status(own)).toBe(200);
    });
  });
}
