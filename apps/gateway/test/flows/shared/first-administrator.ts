import { readFileSync, writeFileSync } from 'node:fs';
import { type RegisteredUser, type TestPlatform } from '@gatehouse/testing-platform';

const ADDRESS = 'admin@gatehouse.local';

export function firstAdministrator(shared: () => TestPlatform): void {
  /**
   * `gatehouse start` makes the administrator before the gateway listens. These tests give the attacker more than that: the
   * whole platform is open before anybody is administrator.
   */
  describe("whoever registers the administrator's address first", () => {
    let platform: TestPlatform;
    let attacker: RegisteredUser;
    beforeAll(async () => {
      platform = shared();
      attacker = await platform.registerAndLogin(ADDRESS);
    });

    const administrators = () =>
      platform.database('authz')<{ subject_id: string }>(
        `SELECT b.subject_id FROM bindings b JOIN roles r ON r.id = b.role_id
       WHERE r.name = 'platform-admin'`,
      );
    const expectNoPower = async () => {
      const { client } = attacker;
      expect((await client.get('/v1/users')).status).toBe(403);
      expect((await client.get('/v1/roles')).status).toBe(403);
      const binding = { subject_id: attacker.userId, role: 'platform-admin', scope: 'platform' };
      expect((await client.post('/v1/bindings', binding)).status).toBe(403);
    };

    it('does not become the administrator, and bootstrap says so', async () => {
      await expect(platform.bootstrap(ADDRESS)).rejects.toThrow(/address|e-mail/i);
      expect(await administrators()).toEqual([]);
      await expectNoPower();
      expect((await attacker.client.get('/v1/users/me')).body.id).toBe(attacker.userId);
    });

    it('nor when it is tried again: the id that was decided is kept, and the account never adopted', async () => {
      const decided = platform.administrator;
      await expect(platform.bootstrap(ADDRESS)).rejects.toThrow(/address|e-mail/i);
      expect(platform.administrator).toEqual(decided);
      expect(decided.userId).not.toBe(attacker.userId);
      expect(await administrators()).toEqual([]);
    });

    it('the owner takes another address, and is the administrator', async () => {
      const stored = JSON.parse(readFileSync(platform.administratorFile, 'utf8')) as object;
      const email = 'owner@gatehouse.local';
      writeFileSync(platform.administratorFile, JSON.stringify({ ...stored, email }));
      await platform.bootstrap(email);
      expect(await administrators()).toEqual([{ subject_id: platform.administrator.userId }]);
      const { client } = await platform.loginAsAdministrator();
      expect((await client.get('/v1/users')).status).toBe(200);
      await expectNoPower();
    });

    it('a second bootstrap changes nothing, and another user is refused', async () => {
      const { userId, email } = platform.administrator;
      await platform.bootstrap(email);
      expect(await administrators()).toEqual([{ subject_id: userId }]);
      const file = readFileSync(platform.administratorFile, 'utf8');
      // Whoever could write the file could name an account that exists: its password is not replaced, nor the role given.
      const { completed_at: _done, ...other } = JSON.parse(file) as Record<string, string>;
      writeFileSync(
        platform.administratorFile,
        JSON.stringify({ ...other, user_id: attacker.userId, email: ADDRESS }),
      );
      await expect(platform.bootstrap(ADDRESS)).rejects.toThrow();
      expect(await administrators()).toEqual([{ subject_id: userId }]);
      await expectNoPower();
      await platform.login(ADDRESS, attacker.password);
      writeFileSync(platform.administratorFile, file);
    });

    it('one who registers between the user and its password cannot take the account either', async () => {
      const { email } = platform.administrator;
      const taken = await platform
        .client()
        .post('/v1/auth/register', { email, password: 'long enough, and not the right one' });
      expect(taken.status).toBe(202);
      const login = { email, password: 'long enough, and not the right one' };
      expect((await platform.client().post('/v1/auth/login', login)).status).toBe(401);
      expect((await platform.loginAsAdministrator()).accessToken).toBeTruthy();
    });
  });
}
