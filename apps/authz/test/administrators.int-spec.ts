import { AdministratorExists, LastAdministrator } from '@gatehouse/contracts-authz';
import { newId } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { BootstrapAdministrator } from '../src/bindings/commands/bootstrap-administrator.ts';
import { DeleteBinding } from '../src/bindings/commands/delete-binding.ts';
import { ListBindings } from '../src/bindings/queries/list-bindings.ts';
import { Check } from '../src/decisions/queries/check.ts';
import { AuthzUnderTest, READ } from './authz.service.ts';

describe('administrators of the platform', () => {
  let authz: AuthzUnderTest;
  beforeEach(async () => {
    authz = await AuthzUnderTest.start();
  });
  afterEach(() => authz.stop());

  const bindingsOf = async (role: string) =>
    (await authz.ask(new ListBindings(authz.administrator, { role, page_size: 200 }))).items;

  it('begin with one: of ten that are made the first at once, one is', async () => {
    const ids = Array.from({ length: 10 }, () => newId());
    const made = await Promise.allSettled(
      ids.map((id) => authz.do(new BootstrapAdministrator(id))),
    );
    const refused = made.flatMap((one) =>
      one.status === 'rejected' ? [one.reason as unknown] : [],
    );
    expect(refused).toHaveLength(9);
    for (const error of refused) expect(error).toBeInstanceOf(AdministratorExists);
    const bindings = await bindingsOf('platform-admin');
    expect(bindings).toHaveLength(1);
    expect(bindings[0]).toMatchObject({ scope: 'platform', created_by: 'provisioner' });
  });

  it('are made once, however often the same one is', async () => {
    const { id } = authz.administrator;
    const made = await Promise.all(
      Array.from({ length: 10 }, () => authz.do(new BootstrapAdministrator(id))),
    );
    expect(new Set(made.map(({ bindingId }) => bindingId)).size).toBe(1);
    await authz.service.eventsOf(made[0]?.bindingId ?? '', 1);
  });

  it('are never none: the last binding stays, also when two are deleted at once', async () => {
    const { bindingId } = await authz.do(new BootstrapAdministrator(authz.administrator.id));
    await expect(authz.do(new DeleteBinding(authz.administrator, bindingId))).rejects.toThrow(
      LastAdministrator,
    );
    const second = await authz.bind(newId(), 'platform-admin');
    const deleted = await Promise.allSettled(
      [bindingId, second.id].map((id) => authz.do(new DeleteBinding(authz.administrator, id))),
    );
    expect(deleted.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await bindingsOf('platform-admin')).toHaveLength(1);
  });

  it('and everybody else lose what they were given when Identity deletes them', async () => {
    await authz.do(new BootstrapAdministrator(authz.administrator.id));
    const second = newId();
    const bindings = [
      await authz.bind(second, 'platform-admin'),
      await authz.bind(second, (await authz.role([])).name),
    ];
    await authz.service.publishAs('identity', {
      type: 'identity.user.deleted.v1',
      key: second,
      sequence: 1,
      data: { user_id: second, version: 2 },
    });
    await eventually(async () => {
      const question = { subject_id: second, subject_type: 'user', permission: READ } as const;
      return !(await authz.ask(new Check({ ...question, scope: 'platform' }))).allowed;
    });
    for (const { id } of bindings) {
      const [, deleted] = await authz.service.eventsOf(id, 2);
      expect(deleted).toMatchObject({
        type: 'authz.binding.deleted.v1',
        sequence: 2,
        data: { binding_id: id, subject_id: second },
      });
    }
    // Two bindings given, both taken at once; and what Identity said of the same key.
    const changes = await authz.service.eventsOf(second, 4);
    const ofAuthz = changes.filter(({ type }) => type === 'authz.grants.changed.v1');
    expect(ofAuthz.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(ofAuthz.at(-1)).toMatchObject({ data: { subject_id: second, bindings: [] } });
    expect(await bindingsOf('platform-admin')).toMatchObject([
      { subject_id: authz.administrator.id },
    ]);
  });
});
