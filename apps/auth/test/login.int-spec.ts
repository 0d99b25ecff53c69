import { AccountDisabled, InvalidCredentials } from '@gatehouse/contracts-auth';
import { UserStatus } from '@gatehouse/contracts-identity';
import { PermissionDenied, RateLimited } from '@gatehouse/contracts-platform';
import { newId } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { CredentialStore } from '../src/credentials/credential.store.ts';
import { GuessThrottle, MAX_FAILURES } from '../src/credentials/guess-throttle.ts';
import { FollowUser } from '../src/credentials/commands/follow-user.ts';
import { PasswordHasher } from '../src/passwords/password-hasher.ts';
import { LogIn } from '../src/sessions/commands/log-in.ts';
import { type AuthInstance, AuthPlatform } from './support/auth-platform.ts';
import { HOME, logIn, type Person, register, somebody } from './support/people.ts';

const WRONG = 'a guess, and a wrong one';
const AWAY = '198.51.100.7';

describe('a login', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
  }, 60_000);
  afterAll(() => platform.stop());

  async function registered(): Promise<Person & { id: string }> {
    const person = somebody();
    await register(auth, person);
    return { ...person, id: platform.identity.byEmail(person.email)?.id ?? '' };
  }

  it('answers a wrong password, an unknown address and an account without a password alike', async () => {
    const person = await registered();
    const { email } = somebody();
    platform.identity.add(newId(), email);
    const errors: unknown[] = [];
    for (const attempt of [{ ...person, password: WRONG }, somebody(), { email, password: WRONG }])
      await logIn(auth, attempt).catch((error: unknown) => errors.push(error));
    expect(errors).toHaveLength(3);
    for (const error of errors) expect(error).toEqual(new InvalidCredentials());
  });

  it('computes one hash, whoever is tried', async () => {
    const person = await registered();
    const hasher = auth.get(PasswordHasher);
    await hasher.dummyHash();
    const counts: number[] = [];
    for (const attempt of [person, { ...person, password: WRONG }, somebody()]) {
      const before = hasher.computed;
      await logIn(auth, attempt).catch(() => undefined);
      counts.push(hasher.computed - before);
    }
    expect(counts).toEqual([1, 1, 1]);
  });

  it('leaves the same rows behind for a known and an unknown address', async () => {
    const person = await registered();
    const written = async (attempt: Person) => {
      const count = async () => {
        const [row] = await auth.query<{ events: number; audit: number; guesses: number }>(
          `SELECT (SELECT count(*)::int FROM guesses) AS guesses,
                  (SELECT sum(version)::int FROM aggregate_versions WHERE topic = 'auth.login') AS events`,
        );
        return row;
      };
      const before = await count();
      await logIn(auth, attempt, AWAY).catch(() => undefined);
      const after = await count();
      return [
        (after?.guesses ?? 0) - (before?.guesses ?? 0),
        (after?.events ?? 0) - (before?.events ?? 0),
      ];
    };
    expect(await written({ ...person, password: WRONG })).toEqual(await written(somebody()));
  });

  it('takes a password typed in another form of the same characters', async () => {
    const person = { ...somebody(), password: 'Ångström naïveté, encore une fois' };
    await register(auth, { ...person, password: person.password.normalize('NFD') });
    await expect(logIn(auth, person)).resolves.toBeDefined();
  });

  it('makes a weak hash anew, without a word and without ending a session', async () => {
    const person = await registered();
    const before = await auth.get(CredentialStore).find(person.id);
    const stronger = await platform.auth({ PASSWORD_HASH_PASSES: '3' });
    await logIn(stronger, person);
    const after = await auth.get(CredentialStore).find(person.id);
    expect(after?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=3,p=1\$/);
    expect(after?.version).toBe(before?.version);
    await expect(logIn(auth, person)).resolves.toBeDefined();
  });

  it('tells that an account is deactivated to nobody but who knows its password', async () => {
    const person = await registered();
    const user = platform.identity.users.get(person.id)!;
    user.status = UserStatus.USER_STATUS_DEACTIVATED;
    await expect(logIn(auth, { ...person, password: WRONG })).rejects.toThrow(InvalidCredentials);
    await expect(logIn(auth, person)).rejects.toThrow(AccountDisabled);
  });

  it('chooses an organization for those alone who hold something in it', async () => {
    const person = await registered();
    const body = { ...person, organization_id: newId() };
    const { email, password, organization_id } = body;
    const attempt = () => auth.execute(new LogIn({ email, password, organization_id }, HOME));
    await expect(attempt()).rejects.toThrow(PermissionDenied);
    platform.authz.administrators.add(person.id);
    await expect(attempt()).resolves.toBeDefined();
  });

  it('never starts a session on a credential that is disabled at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const person = await registered();
      const logins = Array.from({ length: 4 }, () => logIn(auth, person));
      const settled = Promise.allSettled(logins);
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      await auth.execute(new FollowUser(person.id, 'deactivated'));
      await settled;
      const alive = await auth.query(
        `SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL`,
        [person.id],
      );
      expect(alive).toEqual([]);
    }
  });

  describe('that guesses', () => {
    const guess = (person: Person, ip: string) =>
      logIn(auth, { ...person, password: WRONG }, ip).catch((error: unknown) => error);

    it('is slowed down after five failures in a row, also when they come at once', async () => {
      const person = await registered();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => guess(person, `198.51.100.${i}`)),
      );
      expect(answers.filter((error) => error instanceof InvalidCredentials)).toHaveLength(5);
      const refused = answers.filter((error) => error instanceof RateLimited);
      expect(refused).toHaveLength(15);
      expect(refused[0]?.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    });

    it('is slowed down at an address that nobody has as at one that somebody has', async () => {
      const nobody = somebody();
      const answers = await Promise.all(Array.from({ length: 8 }, () => guess(nobody, AWAY)));
      expect(answers.filter((error) => error instanceof InvalidCredentials)).toHaveLength(5);
      expect(answers.filter((error) => error instanceof RateLimited)).toHaveLength(3);
    });

    it('does not keep the owner out, who comes from a network known before', async () => {
      const person = await registered();
      await auth.query(
        `INSERT INTO guesses VALUES ($1, 'stranger', $2, now() + interval '1 hour', now())`,
        [`user:${person.id}`, MAX_FAILURES.stranger],
      );
      await expect(logIn(auth, person, AWAY)).rejects.toThrow(RateLimited);
      await expect(logIn(auth, person, HOME.ip)).resolves.toBeDefined();
      // A success begins anew, for everybody.
      await expect(logIn(auth, person, AWAY)).resolves.toBeDefined();
    });

    it('has at most a hundred failures in a row, strangers and known networks together', async () => {
      expect(MAX_FAILURES.stranger + MAX_FAILURES.known).toBeLessThanOrEqual(100);
      const throttle = auth.get(GuessThrottle);
      const subject = `user:${newId()}` as const;
      let taken = 0;
      for (let i = 0; i < 120; i++) {
        await auth.query(`UPDATE guesses SET next_at = now() WHERE subject = $1`, [subject]);
        await throttle.take(subject, 'stranger').then(
          () => (taken += 1),
          () => undefined,
        );
      }
      expect(taken).toBe(MAX_FAILURES.stranger);
    });

    it('waits twice as long each time, up to a quarter of an hour', async () => {
      const throttle = auth.get(GuessThrottle);
      const subject = `user:${newId()}` as const;
      const waits: number[] = [];
      for (let i = 0; i < 20; i++) {
        await auth.query(`UPDATE guesses SET next_at = now() WHERE subject = $1`, [subject]);
        await throttle.take(subject, 'stranger');
        const [row] = await auth.query<{ wait: number }>(
          `SELECT round(extract(epoch FROM next_at - updated_at))::int AS wait FROM guesses WHERE subject = $1`,
          [subject],
        );
        waits.push(row?.wait ?? -1);
      }
      expect(waits.slice(0, 8)).toEqual([0, 0, 0, 0, 1, 2, 4, 8]);
      expect(Math.max(...waits)).toBe(900);
    });
  });
});
