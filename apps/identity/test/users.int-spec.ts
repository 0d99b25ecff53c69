import {
  EmailTaken,
  UserDeactivated,
  UserExists,
  UserNotDeactivated,
  UserNotFound,
} from '@gatehouse/contracts-identity';
import { PermissionDenied, PreconditionFailed } from '@gatehouse/contracts-platform';
import { asCaller, principalOf, type ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { newId, type Principal } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import { CreateUser } from '../src/users/commands/create-user.ts';
import { DeactivateUser } from '../src/users/commands/deactivate-user.ts';
import { DeleteUser } from '../src/users/commands/delete-user.ts';
import { ReactivateUser } from '../src/users/commands/reactivate-user.ts';
import { UPDATE_USER, UpdateUser } from '../src/users/commands/update-user.ts';
import { BatchGetUsers } from '../src/users/queries/batch-get-users.ts';
import { FindUserByEmail } from '../src/users/queries/find-user-by-email.ts';
import { GetUser } from '../src/users/queries/get-user.ts';
import { ListUsers } from '../src/users/queries/list-users.ts';
import { ListUsersQuery, type UpdateUserBody, type UserView } from '../src/users/users.schemas.ts';
import { startIdentity } from './identity.service.ts';

describe('users', () => {
  let identity: ServiceUnderTest;
  let commands: CommandBus;
  let queries: QueryBus;
  const administrator = principalOf();

  beforeAll(async () => {
    identity = await startIdentity();
    commands = identity.first.get(CommandBus);
    queries = identity.first.get(QueryBus);
    await identity.grant(administrator.id, [UPDATE_USER]);
  });
  afterAll(() => identity.stop());

  const address = () => `${newId()}@example.com`;
  const create = (known: { id?: string; email?: string; displayName?: string } = {}) =>
    commands.execute(new CreateUser({ id: newId(), email: address(), ...known }));
  const update = (who: Principal, user: UserView, change: UpdateUserBody, version = user.version) =>
    asCaller(who, () => commands.execute(new UpdateUser(who, user.id, change, version)));
  const get = (id: string) => queries.execute(new GetUser(id));
  const rowOf = async (id: string) =>
    (await identity.sql('SELECT * FROM identity.users WHERE id = $1', [id]))[0];

  describe('creating', () => {
    it('begins at version 1, active, named after the address where no name is given', async () => {
      const email = address();
      const user = await create({ email });
      expect(user).toMatchObject({ email, status: 'active', version: 1 });
      expect(user.display_name).toBe(email.split('@')[0]);
      expect(await get(user.id)).toEqual(user);
    });

    it('twice by one id is once, and published once', async () => {
      const known = { id: newId(), email: address() };
      const answers = await Promise.all(Array.from({ length: 10 }, () => create(known)));
      expect(new Set(answers.map(({ created_at }) => created_at)).size).toBe(1);
      const events = await identity.eventsOf(known.id, 1);
      expect(events).toMatchObject([
        { type: 'identity.user.created.v1', sequence: 1, data: { user_id: known.id, version: 1 } },
      ]);
    });

    it('by a known id with another address is refused, and the user is as before', async () => {
      const user = await create();
      await expect(create({ id: user.id })).rejects.toThrow(UserExists);
      expect(await get(user.id)).toEqual(user);
    });

    it('of 20 at once with one address lets one through', async () => {
      const email = address();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, () => create({ email })),
      );
      const refused = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
      );
      expect(refused).toHaveLength(19);
      for (const error of refused) expect(error).toBeInstanceOf(EmailTaken);
      expect(
        await identity.sql('SELECT id FROM identity.users WHERE email = $1', [email]),
      ).toHaveLength(1);
    });
  });

  describe('changing', () => {
    it('raises the version and says what changed', async () => {
      const user = await create();
      const email = address();
      const changed = await update(administrator, user, { email, display_name: 'Grace' });
      expect(changed).toMatchObject({ email, display_name: 'Grace', version: 2 });
      expect(await get(user.id)).toEqual(changed);
      const [, event] = await identity.eventsOf(user.id, 2);
      expect(event).toMatchObject({
        type: 'identity.user.updated.v1',
        sequence: 2,
        userid: administrator.id,
        data: { email, display_name: 'Grace', version: 2, changed: ['email', 'display_name'] },
      });
    });

    it('to what it is already changes nothing', async () => {
      const user = await create();
      expect(await update(administrator, user, { email: user.email })).toEqual(user);
    });

    it('from a version that is not the current one is refused', async () => {
      const user = await create();
      await update(administrator, user, { display_name: 'Grace' });
      await expect(update(administrator, user, { display_name: 'Hopper' })).rejects.toThrow(
        PreconditionFailed,
      );
      expect(await get(user.id)).toMatchObject({ display_name: 'Grace', version: 2 });
    });

    it('from one version by 10 at once lets one through', async () => {
      const user = await create();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) =>
          update(administrator, user, { display_name: `Name ${n}` }),
        ),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await get(user.id)).toMatchObject({ version: 2 });
    });

    it('may take the own name, not the own address', async () => {
      const user = await create();
      const self = principalOf({ id: user.id });
      const renamed = await update(self, user, { display_name: 'Myself' });
      expect(renamed).toMatchObject({ display_name: 'Myself', email: user.email });
      await expect(update(self, renamed, { email: address() })).rejects.toThrow(PermissionDenied);
      expect(await get(user.id)).toEqual(renamed);
    });

    it("to another user's address is refused", async () => {
      const [user, other] = [await create(), await create()];
      await expect(update(administrator, user, { email: other.email })).rejects.toThrow(EmailTaken);
      expect(await get(user.id)).toEqual(user);
    });

    it('nobody is refused', async () => {
      const nobody = { ...(await create()), id: newId() };
      await expect(update(administrator, nobody, { display_name: 'x' })).rejects.toThrow(
        UserNotFound,
      );
    });
  });

  describe('coming and going', () => {
    it('is published without a gap, with the version of the row', async () => {
      const user = await create();
      const deactivated = await commands.execute(new DeactivateUser(user.id));
      expect(deactivated).toMatchObject({ status: 'deactivated', version: 2 });
      await expect(commands.execute(new DeactivateUser(user.id))).rejects.toThrow(UserDeactivated);
      const active = await commands.execute(new ReactivateUser(user.id));
      expect(active).toMatchObject({ status: 'active', version: 3 });
      await expect(commands.execute(new ReactivateUser(user.id))).rejects.toThrow(
        UserNotDeactivated,
      );
      await commands.execute(new DeleteUser(user.id));
      await expect(get(user.id)).rejects.toThrow(UserNotFound);
      expect(await rowOf(user.id)).toBeUndefined();

      const events = await identity.eventsOf(user.id, 4);
      expect(events.map(({ type, sequence }) => [type, sequence])).toEqual([
        ['identity.user.created.v1', 1],
        ['identity.user.deactivated.v1', 2],
        ['identity.user.reactivated.v1', 3],
        ['identity.user.deleted.v1', 4],
      ]);
      expect(events.map(({ data }) => (data as { version: number }).version)).toEqual([1, 2, 3, 4]);
    });

    it('deletes no other version than the one expected, and nobody twice', async () => {
      const user = await create();
      await expect(commands.execute(new DeleteUser(user.id, 2))).rejects.toThrow(
        PreconditionFailed,
      );
      await commands.execute(new DeleteUser(user.id, 1));
      await expect(commands.execute(new DeleteUser(user.id))).rejects.toThrow(UserNotFound);
    });
  });

  describe('finding', () => {
    it('asks for many at once: each once, in order of id, nobody in the place of one who is not', async () => {
      const users = [await create(), await create(), await create()];
      const ids = users.map(({ id }) => id);
      const found = await queries.execute(
        new BatchGetUsers([ids[2], ids[0], newId(), ids[2], ids[1]] as string[]),
      );
      expect(found.map(({ id }) => id)).toEqual([...ids].sort());
    });

    it('asks by address', async () => {
      const user = await create();
      expect(await queries.execute(new FindUserByEmail(user.email))).toEqual(user);
      expect(await queries.execute(new FindUserByEmail(address()))).toBeUndefined();
    });
  });

  describe('listing', () => {
    const list = (query: Record<string, unknown>) =>
      queries.execute(new ListUsers(ListUsersQuery.parse(query)));
    const mark = newId().slice(-12);
    let listed: UserView[];

    beforeAll(async () => {
      listed = [];
      for (let n = 0; n < 5; n++) {
        listed.unshift(
          await create({ email: `${mark}-${n}@example.com`, displayName: `Person ${mark} ${n}` }),
        );
      }
    });

    it('gives pages, newest first, each user once', async () => {
      const found: UserView[] = [];
      let page_token: string | undefined;
      do {
        const page = await list({ q: mark, page_size: 2, page_token });
        expect(page.items.length).toBeLessThanOrEqual(2);
        found.push(...page.items);
        page_token = page.next_page_token ?? undefined;
      } while (page_token !== undefined);
      expect(found).toEqual(listed);
    });

    it('filters by status, by address and by the beginning of address or name, in any case', async () => {
      const [last] = listed as [UserView];
      const deactivated = await commands.execute(new DeactivateUser(last.id));
      expect((await list({ q: mark, status: 'deactivated' })).items).toEqual([deactivated]);
      expect((await list({ q: mark, status: 'active' })).items).toEqual(listed.slice(1));
      expect((await list({ email: last.email.toUpperCase() })).items).toEqual([deactivated]);
      expect((await list({ q: `PERSON ${mark.toUpperCase()}` })).items).toHaveLength(5);
    });

    it('takes what looks like a pattern by its letters', async () => {
      const odd = await create({ displayName: `100%_${mark}\\` });
      expect((await list({ q: `100%_${mark}\\` })).items).toEqual([odd]);
      expect((await list({ q: `100__${mark}` })).items).toEqual([]);
      expect((await list({ q: `%${mark}` })).items).toEqual([]);
    });

    it('refuses a page token of another query', async () => {
      const { next_page_token } = await list({ q: mark, page_size: 1 });
      await expect(
        list({ q: 'other', page_size: 1, page_token: next_page_token }),
      ).rejects.toMatchObject({ code: 'INVALID_PAGE_TOKEN' });
    });
  });
});
