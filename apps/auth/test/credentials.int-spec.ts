import { createGrpcClient } from '@gatehouse/clients';
import {
  authV1,
  CredentialExists,
  InvalidCredentials,
  InvalidGrant,
  PasswordTooShort,
  PasswordUnchanged,
  PasswordWrong,
} from '@gatehouse/contracts-auth';
import { UserNotFound } from '@gatehouse/contracts-identity';
import { CallerNotAllowed, RateLimited } from '@gatehouse/contracts-platform';
import { TokenVerifier } from '@gatehouse/guards';
import { newId, type Principal } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ChangePassword } from '../src/credentials/commands/change-password.ts';
import { RefreshSession } from '../src/sessions/commands/refresh-session.ts';
import { FIRST_PARTY_CLIENT } from '../src/sessions/sessions.ts';
import { type AuthInstance, AuthPlatform } from './support/auth-platform.ts';
import { logIn, type Person, register, somebody } from './support/people.ts';

describe('a credential', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
  }, 60_000);
  afterAll(() => platform.stop());

  async function loggedIn(person: Person) {
    const tokens = await logIn(auth, person);
    const { principal } = auth.get(TokenVerifier).verify(tokens.access_token);
    return { ...tokens, principal };
  }
  async function registered() {
    const person = somebody();
    await register(auth, person);
    return { ...person, id: platform.identity.byEmail(person.email)?.id ?? '' };
  }
  const change = (who: Principal, current_password: string, new_password: string) =>
    auth.execute(new ChangePassword(who, { current_password, new_password }));
  const reasonOf = async (sessionId: string) => {
    const [row] = await auth.query<{ reason: string | null }>(
      `SELECT revoke_reason AS reason FROM sessions WHERE id = $1`,
      [sessionId],
    );
    return row?.reason;
  };

  describe('whose password is changed', () => {
    const NEW = 'a new password, better still';

    it('keeps the session in use, ends the others, and takes the new password alone', async () => {
      const person = await registered();
      const [here, there] = [await loggedIn(person), await loggedIn(person)];
      await change(here.principal, person.password, NEW);
      expect(await reasonOf(here.session_id)).toBeNull();
      expect(await reasonOf(there.session_id)).toBe('password_changed');
      await expect(
        auth.execute(new RefreshSession(there.refresh_token, FIRST_PARTY_CLIENT)),
      ).rejects.toThrow(InvalidGrant);
      await expect(logIn(auth, person)).rejects.toThrow(InvalidCredentials);
      await expect(logIn(auth, { ...person, password: NEW })).resolves.toBeDefined();
    });

    it('asks for the current one, and for another that is good', async () => {
      const person = await registered();
      const { principal } = await loggedIn(person);
      await expect(change(principal, 'not the password', NEW)).rejects.toThrow(PasswordWrong);
      await expect(change(principal, person.password, 'short')).rejects.toThrow(PasswordTooShort);
      await expect(change(principal, person.password, person.password)).rejects.toThrow(
        PasswordUnchanged,
      );
    });

    it('counts guesses together with those at the login', async () => {
      const person = await registered();
      const { principal } = await loggedIn(person);
      const guesses = await Promise.all(
        Array.from({ length: 8 }, () =>
          change(principal, 'not the password', NEW).catch((error: unknown) => error),
        ),
      );
      expect(guesses.filter((error) => error instanceof PasswordWrong)).toHaveLength(5);
      await expect(logIn(auth, person)).rejects.toThrow(RateLimited);
    });

    it('twice at once from the same password is changed once', async () => {
      const person = await registered();
      const { principal } = await loggedIn(person);
      const settled = await Promise.allSettled([
        change(principal, person.password, 'the first of two passwords'),
        change(principal, person.password, 'the second of two passwords'),
      ]);
      expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });
  });

  describe('whose user Identity', () => {
    const subject = async (id: string) => {
      const [row] = await auth.query<{ state: { revoked: boolean } }>(
        `SELECT state FROM change_feed WHERE kind = 'subject' AND id = $1`,
        [id],
      );
      return row?.state.revoked;
    };
    const wait = { timeoutMs: 10_000, intervalMs: 50 };

    it('deactivates loses its sessions, each published, until it is reactivated', async () => {
      const person = await registered();
      const sessions = [await loggedIn(person), await loggedIn(person)];
      await platform.identity.publish('identity.user.deactivated.v1', person.id);
      await eventually(async () => expect(await subject(person.id)).toBe(true), wait);
      for (const { session_id: id } of sessions) {
        expect(await reasonOf(id)).toBe('user_deactivated');
        const published = await auth.query(
          `SELECT 1 FROM aggregate_versions WHERE topic = 'auth.session' AND key = $1 AND version = 2`,
          [id],
        );
        expect(published).toHaveLength(1);
      }
      await platform.identity.publish('identity.user.reactivated.v1', person.id);
      await eventually(async () => expect(await subject(person.id)).toBe(false), wait);
      await expect(logIn(auth, person)).resolves.toBeDefined();
    });

    it('deletes loses its sessions and its password, for good', async () => {
      const person = await registered();
      const { session_id: id } = await loggedIn(person);
      await platform.identity.publish('identity.user.deleted.v1', person.id);
      await eventually(async () => expect(await subject(person.id)).toBe(true), wait);
      expect(await reasonOf(id)).toBe('user_deleted');
      const rows = await auth.query(
        `SELECT password_hash, deleted FROM credentials WHERE user_id = $1`,
        [person.id],
      );
      expect(rows).toEqual([{ password_hash: null, deleted: true }]);
      await expect(logIn(auth, person)).rejects.toThrow(InvalidCredentials);
    });
  });

  describe('made by the provisioner', () => {
    const PASSWORD = 'made by the provisioner, once';
    const client = (via: () => Promise<string>) =>
      createGrpcClient(authV1, {
        address: auth.service.grpcAddress ?? '',
        metadata: async () => ({ 'gatehouse-via': await via() }),
      });

    it('is for a user that Identity knows, and made once', async () => {
      const { email } = somebody();
      const userId = newId();
      const provisioner = client(() => platform.provisionerToken());
      const create = (password: string) => provisioner.createCredential({ userId, password });
      await expect(create(PASSWORD)).rejects.toMatchObject({ code: UserNotFound.code });
      platform.identity.add(userId, email);
      await create(PASSWORD);
      await create(PASSWORD);
      await expect(create('another password, for adoption')).rejects.toThrow(CredentialExists);
      provisioner.close();
      await expect(logIn(auth, { email, password: PASSWORD })).resolves.toBeDefined();
    });

    it('is made by nobody else', async () => {
      const service = client(() => platform.via('identity'));
      await expect(
        service.createCredential({ userId: newId(), password: PASSWORD }),
      ).rejects.toThrow(CallerNotAllowed);
      service.close();
    });
  });
});
