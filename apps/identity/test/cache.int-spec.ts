import { UserNotFound } from '@gatehouse/contracts-identity';
import {
  asCaller,
  principalOf,
  type ServiceInstance,
  type ServiceUnderTest,
} from '@gatehouse/guards/testing/service';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { newId } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import {
  describeWithEngines,
  engineSet,
  ENGINES_START_MS,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import { CreateUser } from '../src/users/commands/create-user.ts';
import { DeactivateUser } from '../src/users/commands/deactivate-user.ts';
import { DeleteUser } from '../src/users/commands/delete-user.ts';
import { UpdateUser } from '../src/users/commands/update-user.ts';
import { GetUser } from '../src/users/queries/get-user.ts';
import { startIdentity } from './identity.service.ts';

function describeCachedUsers(
  env: () => Record<string, string>,
  more?: (of: Subject) => void,
): void {
  let identity: ServiceUnderTest;
  let here: ServiceInstance;
  let there: ServiceInstance;

  beforeAll(async () => {
    identity = await startIdentity(env());
    here = identity.first;
    there = await identity.startInstance();
  });
  afterAll(() => identity.stop());

  const create = () =>
    here
      .get(CommandBus)
      .execute(
        new CreateUser({ id: newId(), email: `${newId()}@example.com`, displayName: 'One' }),
      );
  const nameAt = async (instance: ServiceInstance, id: string) =>
    (await instance.get(QueryBus).execute(new GetUser(id))).display_name;
  const rename = (id: string, name: string) => {
    const self = principalOf({ id });
    const command = new UpdateUser(self, id, { display_name: name }, undefined);
    return asCaller(self, () => here.get(CommandBus).execute(command));
  };
  /** What no service did: a cached answer stays as it was. */
  const changeTheRow = (id: string, name: string) =>
    identity.sql('UPDATE identity.users SET display_name = $2 WHERE id = $1', [id, name]);

  it('are read from the table once', async () => {
    const { id } = await create();
    expect(await nameAt(here, id)).toBe('One');
    await changeTheRow(id, 'Two');
    expect(await nameAt(here, id)).toBe('One');
  });

  it('are what was written, at once where it was written', async () => {
    const { id } = await create();
    for (let n = 0; n < 20; n++) {
      await rename(id, `Name ${n}`);
      expect(await nameAt(here, id)).toBe(`Name ${n}`);
    }
  });

  it('are what was written, within moments everywhere else', async () => {
    const { id } = await create();
    expect(await nameAt(there, id)).toBe('One');
    await rename(id, 'Two');
    await eventually(async () => (await nameAt(there, id)) === 'Two');
    await here.get(CommandBus).execute(new DeactivateUser(id));
    await eventually(
      async () => (await there.get(QueryBus).execute(new GetUser(id))).status === 'deactivated',
    );
  });

  it('are gone everywhere once deleted', async () => {
    const { id } = await create();
    await nameAt(there, id);
    await here.get(CommandBus).execute(new DeleteUser(id));
    await expect(nameAt(here, id)).rejects.toThrow(UserNotFound);
    await eventually(() => expect(nameAt(there, id)).rejects.toThrow(UserNotFound));
  });

  it('that do not exist are asked for anew: one created a moment later is found', async () => {
    const id = newId();
    await expect(nameAt(there, id)).rejects.toThrow(UserNotFound);
    const user = new CreateUser({ id, email: `${id}@example.com`, displayName: 'One' });
    await here.get(CommandBus).execute(user);
    expect(await nameAt(there, id)).toBe('One');
  });

  more?.({
    create,
    nameAt,
    rename,
    changeTheRow,
    instances: () => [here, there],
  });
}

interface Subject {
  create: () => Promise<{ id: string }>;
  nameAt: (instance: ServiceInstance, id: string) => Promise<string>;
  rename: (id: string, name: string) => Promise<unknown>;
  changeTheRow: (id: string, name: string) => Promise<unknown>;
  instances: () => [ServiceInstance, ServiceInstance];
}

describe('cached users', () => {
  describe('in the memory of each instance', () => describeCachedUsers(() => ({})));

  describeWithEngines(['redis'], () => {
    let set: EngineSet;
    beforeAll(async () => {
      set = await engineSet(['redis']);
    }, ENGINES_START_MS);
    afterAll(() => set.end());

    // A busy machine is no outage.
    const env = () => ({ ...set.env, CACHE_STORE_TIMEOUT_MS: '2000' });
    describeCachedUsers(env, ({ create, nameAt, rename, changeTheRow, instances }) => {
      it('are what was written, at once in every instance', async () => {
        const { id } = await create();
        const [here, there] = instances();
        for (let n = 0; n < 20; n++) {
          await rename(id, `Name ${n}`);
          expect(await nameAt(there, id)).toBe(`Name ${n}`);
          expect(await nameAt(here, id)).toBe(`Name ${n}`);
        }
      });

      it('are shared: what one instance has read, the other need not', async () => {
        const { id } = await create();
        const [here, there] = instances();
        await nameAt(here, id);
        await changeTheRow(id, 'Two');
        expect(await nameAt(there, id)).toBe('One');
      });

      it('are evicted by the event where the process ended between its COMMIT and its eviction', async () => {
        const { id } = await create();
        const [here, there] = instances();
        expect(await nameAt(here, id)).toBe('One');
        const database = here.get(Database);
        await database.transaction(async () => {
          await database.query(
            `UPDATE identity.users SET display_name = 'Two', version = version + 1 WHERE id = $1`,
            [id],
          );
          const user = { user_id: id, email: `${id}@example.com`, display_name: 'Two' };
          here.get(IntegrationEvents).publish('identity.user.updated.v1', {
            key: id,
            data: { ...user, version: 2, status: 'active', changed: ['display_name'] },
          });
        });
        await eventually(async () => (await nameAt(there, id)) === 'Two');
      });

      it('are read from the table while Redis is away, and from Redis again when it is back', async () => {
        const { id } = await create();
        const [here, there] = instances();
        await nameAt(here, id);
        await set.kill('redis');
        for (const instance of [here, there]) expect(await nameAt(instance, id)).toBe('One');
        await rename(id, 'Two');
        for (const instance of [here, there]) expect(await nameAt(instance, id)).toBe('Two');
        await set.start('redis');
        await eventually(
          async () => {
            const { id: other } = await create();
            await nameAt(here, other);
            await changeTheRow(other, 'Unseen');
            expect(await nameAt(there, other)).toBe('One');
          },
          { timeoutMs: 20_000 },
        );
        expect(await nameAt(there, id)).toBe('Two');
      });
    });
  });
});
