import {
  type Login,
  type RegisteredUser,
  TestClient,
  type TestPlatform,
} from '@gatehouse/testing-platform';
import { CURRENT_WITHIN_MS, millisecondsUntil } from '../support/stopwatch.ts';

const LIST = 'identity.user.list';
const ROUNDS = 4;

interface Role {
  id: string;
  permissions: string[];
}

export function permissions(shared: () => TestPlatform): void {
  describe('a permission is current at the edge within a second', () => {
    let platform: TestPlatform;
    let administrator: Login;
    let user: RegisteredUser;
    /** The user's own way to the service, past the gateway. */
    let direct: TestClient;
    beforeAll(async () => {
      platform = shared();
      administrator = await platform.loginAsAdministrator();
      user = await platform.registerAndLogin();
      direct = new TestClient(platform.httpUrlOf('identity'), {
        token: user.accessToken,
      });
    });

    const lists = async (client: TestClient): Promise<boolean> => {
      const { status } = await client.get('/v1/users');
      expect([200, 403]).toContain(status);
      return status === 200;
    };

    /** At the edge, and at the service's own boundary: the slower of both. */
    const until = async (allowed: boolean): Promise<number> => {
      const isSo = async (client: TestClient) => (await lists(client)) === allowed;
      return Math.max(
        ...(await Promise.all([
          millisecondsUntil(() => isSo(user.client)),
          millisecondsUntil(() => isSo(direct)),
        ])),
      );
    };

    const bind = async (role: string): Promise<string> => {
      const { status, body } = await administrator.client.post<{ id: string }>('/v1/bindings', {
        subject_id: user.userId,
        role,
        scope: 'platform',
      });
      expect(status).toBe(201);
      return body.id;
    };

    const createRole = async (name: string, permissions: string[]): Promise<string> => {
      const { status } = await administrator.client.post('/v1/roles', { name, permissions });
      expect(status).toBe(201);
      return name;
    };

    const setPermissions = async (name: string, permissions: string[]): Promise<void> => {
      const { client } = administrator;
      const { headers } = await client.get<Role>(`/v1/roles/${name}`);
      const { status } = await client.patch(
        `/v1/roles/${name}`,
        { permissions },
        { 'if-match': headers.get('etag') ?? '' },
      );
      expect(status).toBe(200);
    };

    it('refuses before anything is granted', async () => {
      expect([await lists(user.client), await lists(direct)]).toEqual([false, false]);
    });

    it('by a binding, created and deleted', async () => {
      const role = await createRole('lister', [LIST]);
      for (let round = 0; round < ROUNDS; round++) {
        const binding = await bind(role);
        expect(await until(true)).toBeLessThan(CURRENT_WITHIN_MS);
        const { status } = await administrator.client.delete(`/v1/bindings/${binding}`);
        expect(status).toBe(204);
        expect(await until(false)).toBeLessThan(CURRENT_WITHIN_MS);
      }
    });

    it('by a role that gains the permission and loses it', async () => {
      const role = await createRole('changing', []);
      const binding = await bind(role);
      for (let round = 0; round < ROUNDS; round++) {
        await setPermissions(role, [LIST]);
        expect(await until(true)).toBeLessThan(CURRENT_WITHIN_MS);
        await setPermissions(role, []);
        expect(await until(false)).toBeLessThan(CURRENT_WITHIN_MS);
      }
      expect((await administrator.client.delete(`/v1/bindings/${binding}`)).status).toBe(204);
    });

    it('by a role that is deleted with its bindings', async () => {
      const role = await createRole('passing', [LIST]);
      await bind(role);
      expect(await until(true)).toBeLessThan(CURRENT_WITHIN_MS);
      expect((await administrator.client.delete(`/v1/roles/${role}`)).status).toBe(204);
      expect(await until(false)).toBeLessThan(CURRENT_WITHIN_MS);
    });

    it('and stays revoked: no later request is let in', async () => {
      const binding = await bind('lister');
      await until(true);
      await administrator.client.delete(`/v1/bindings/${binding}`);
      await until(false);
      for (let n = 0; n < 50; n++) {
        expect([await lists(user.client), await lists(direct)]).toEqual([false, false]);
      }
    });

    it('for a subject that nobody has asked about yet, at once', async () => {
      const stranger = await platform.registerAndLogin();
      const { status } = await administrator.client.post('/v1/bindings', {
        subject_id: stranger.userId,
        role: 'lister',
        scope: 'platform',
      });
      expect(status).toBe(201);
      expect((await stranger.client.get('/v1/users')).status).toBe(200);
    });
  });
}
