import { InvalidCredentials } from '@gatehouse/contracts-auth';
import { ServiceUnavailable } from '@gatehouse/contracts-platform';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { PasswordHasher } from '../src/passwords/password-hasher.ts';
import { RegistrationCompletion } from '../src/registration/registration-completion.ts';
import { RegistrationStore } from '../src/registration/registration.store.ts';
import { RegistrationSweeper } from '../src/registration/registration.sweeper.ts';
import { type AuthInstance, AuthPlatform } from './support/auth-platform.ts';
import { logIn, register, somebody } from './support/people.ts';

describe('a registration', () => {
  let platform: AuthPlatform;
  let auth: AuthInstance;
  let other: AuthInstance;

  beforeAll(async () => {
    platform = await AuthPlatform.start();
    auth = await platform.auth();
    other = await platform.auth();
  }, 60_000);
  beforeEach(() => {
    platform.identity.down = false;
    platform.identity.afterCreate = () => undefined;
  });
  afterAll(() => platform.stop());

  const pending = () => auth.query<{ email: string }>(`SELECT * FROM registrations`);
  const makeDue = () =>
    auth.query(`UPDATE registrations SET next_attempt_at = now() - interval '1 s'`);

  it('makes a user in Identity and a credential here, and keeps no address', async () => {
    const person = somebody();
    await register(auth, person);
    const user = platform.identity.byEmail(person.email);
    const [credential] = await auth.query<{ password_hash: string }>(
      `SELECT * FROM credentials WHERE user_id = $1`,
      [user?.id],
    );
    expect(credential?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await pending()).toEqual([]);
    await expect(logIn(auth, person)).resolves.toMatchObject({ token_type: 'Bearer' });
  });

  it('of a known address changes nothing, and is answered the same', async () => {
    const person = somebody();
    await register(auth, person);
    const other = { ...person, password: 'another password entirely' };
    await expect(register(auth, other)).resolves.toBeUndefined();
    await expect(logIn(auth, person)).resolves.toBeDefined();
    await expect(logIn(auth, other)).rejects.toThrow(InvalidCredentials);
    expect(await pending()).toEqual([]);
  });

  it('of a known address costs one hash, as that of an unknown one does', async () => {
    const person = somebody();
    const hasher = auth.get(PasswordHasher);
    const before = hasher.computed;
    await register(auth, person);
    const unknown = hasher.computed - before;
    await register(auth, person);
    expect([unknown, hasher.computed - before - unknown]).toEqual([1, 1]);
  });

  it('of one address ten times at once makes one account', async () => {
    const person = somebody();
    const created = platform.identity.created;
    const people = Array.from({ length: 10 }, (_, i) => ({
      ...person,
      password: `password number ${i} of them`,
    }));
    await Promise.all(people.map((each, i) => register(i % 2 ? auth : other, each)));
    expect(platform.identity.created).toBe(created + 1);
    const logins = await Promise.allSettled(
      people.map((each, i) => logIn(auth, each, `198.51.100.${i}`)),
    );
    const user = platform.identity.byEmail(person.email);
    const credentials = await auth.query(`SELECT 1 FROM credentials WHERE user_id = $1`, [
      user?.id,
    ]);
    expect(credentials).toHaveLength(1);
    expect(logins.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
    expect(await pending()).toEqual([]);
  });

  it('waits while Identity is away, and is finished when it is back', async () => {
    const person = somebody();
    platform.identity.down = true;
    await expect(register(auth, person)).rejects.toThrow(ServiceUnavailable);
    expect(await pending()).toHaveLength(1);
    platform.identity.down = false;
    await makeDue();
    await eventually(
      async () => {
        await auth.get(RegistrationSweeper).sweep();
        expect(await pending()).toEqual([]);
      },
      { timeoutMs: 5000, intervalMs: 100 },
    );
    await expect(logIn(auth, person)).resolves.toBeDefined();
  });

  it('cut off after Identity has the user is finished by a sweeper, once, however many sweep', async () => {
    const person = somebody();
    const completion = auth.get(RegistrationCompletion);
    const settle = completion.settle.bind(completion);
    completion.settle = () => Promise.reject(new Error('killed'));
    await expect(register(auth, person)).rejects.toThrow('killed');
    completion.settle = settle;
    expect(platform.identity.byEmail(person.email)).toBeDefined();
    await expect(logIn(auth, person)).rejects.toThrow(InvalidCredentials);

    await makeDue();
    const swept = await Promise.all(
      [auth, other].map((each) => each.get(RegistrationSweeper).sweep()),
    );
    expect(swept.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(1);
    await eventually(async () => expect(await pending()).toEqual([]), {
      timeoutMs: 5000,
      intervalMs: 50,
    });
    await expect(logIn(auth, person, '198.51.100.200')).resolves.toBeDefined();
  });

  it('cut off before Identity heard of it, of an address that is taken by then, is dropped', async () => {
    const person = somebody();
    platform.identity.down = true;
    await expect(register(auth, person)).rejects.toThrow(ServiceUnavailable);
    platform.identity.down = false;
    const owner = platform.identity.add('01980e3a-7a52-7c1a-8d5e-2f6b6f0c9a11', person.email);
    await makeDue();
    await eventually(
      async () => {
        await auth.get(RegistrationSweeper).sweep();
        expect(await pending()).toEqual([]);
      },
      { timeoutMs: 5000, intervalMs: 100 },
    );
    expect(platform.identity.byEmail(person.email)).toEqual(owner);
    await expect(logIn(auth, person)).rejects.toThrow(InvalidCredentials);
  });

  it('of a user that is deleted meanwhile is not brought back', async () => {
    const person = somebody();
    const completion = auth.get(RegistrationCompletion);
    const settle = completion.settle.bind(completion);
    completion.settle = async (registration, outcome) => {
      await platform.identity.publish('identity.user.deleted.v1', registration.userId);
      await eventually(
        async () =>
          expect(
            await auth.query(`SELECT 1 FROM credentials WHERE user_id = $1 AND deleted`, [
              registration.userId,
            ]),
          ).toHaveLength(1),
        { timeoutMs: 5000, intervalMs: 50 },
      );
      await settle(registration, outcome);
    };
    await register(auth, person);
    completion.settle = settle;
    expect(await pending()).toEqual([]);
    await expect(logIn(auth, person)).rejects.toThrow(InvalidCredentials);
  });

  it('is left alone by sweepers while its caller is at work on it', async () => {
    platform.identity.down = true;
    await expect(register(auth, somebody())).rejects.toThrow(ServiceUnavailable);
    expect(await auth.get(RegistrationStore).takeDue(10)).toEqual([]);
    await auth.query(`DELETE FROM registrations`);
  });
});
