import {
  BindingExists,
  BindingNotFound,
  GrantNotHeld,
  PermissionUnknown,
  RoleBuiltIn,
  RoleExists,
  RoleImplicit,
  RoleNameReserved,
  RoleNotFound,
} from '@gatehouse/contracts-authz';
import { PermissionDenied, PreconditionFailed } from '@gatehouse/contracts-platform';
import { principalOf } from '@gatehouse/guards/testing/service';
import { newId, type Principal } from '@gatehouse/kernel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { CreateBinding } from '../src/bindings/commands/create-binding.ts';
import { DeleteBinding } from '../src/bindings/commands/delete-binding.ts';
import { GetBinding } from '../src/bindings/queries/get-binding.ts';
import { ListBindings } from '../src/bindings/queries/list-bindings.ts';
import { ListBindingsQuery } from '../src/bindings/bindings.schemas.ts';
import { Check } from '../src/decisions/queries/check.ts';
import { GetSubjectPermissions } from '../src/decisions/queries/get-subject-permissions.ts';
import { CreateRole } from '../src/roles/commands/create-role.ts';
import { DeleteRole } from '../src/roles/commands/delete-role.ts';
import { UpdateRole } from '../src/roles/commands/update-role.ts';
import { GetRole } from '../src/roles/queries/get-role.ts';
import { ListRoles } from '../src/roles/queries/list-roles.ts';
import {
  AuthzUnderTest,
  DELETE,
  MAY_GRANT,
  organizationScope,
  READ,
  WRITE,
} from './authz.service.ts';

describe('grants', () => {
  let authz: AuthzUnderTest;
  beforeAll(async () => {
    authz = await AuthzUnderTest.prepared();
  });
  afterAll(() => authz.stop());

  const name = () => `role-${newId().slice(-12)}`;
  const createRole = (who: Principal, permissions: string[], as = name()) =>
    authz.do(new CreateRole(who, { name: as, description: '', permissions }), who);
  const update = (who: Principal, role: string, permissions: string[], version?: number) =>
    authz.do(new UpdateRole(who, role, { permissions }, version), who);
  const bind = (who: Principal, subject_id: string, role: string, scope = 'platform') =>
    authz.do(new CreateBinding(who, { subject_id, role, scope }), who);
  const may = async (subject_id: string, permission: string, scope = 'platform') =>
    (await authz.ask(new Check({ subject_id, subject_type: 'user', permission, scope }))).allowed;

  describe('nobody grants what they do not hold', () => {
    it('by a new role', async () => {
      const who = await authz.holder([...MAY_GRANT, READ]);
      await expect(createRole(who, [READ, WRITE])).rejects.toThrow(GrantNotHeld);
      await expect(createRole(who, [READ, WRITE])).rejects.toThrow(WRITE);
      expect(await createRole(who, [READ])).toMatchObject({ permissions: [READ], version: 1 });
    });

    it('by a permission more in a role, though the role holds others that they do not hold', async () => {
      const who = await authz.holder([...MAY_GRANT, READ]);
      const role = await authz.role([WRITE]);
      await expect(update(who, role.name, [WRITE, DELETE])).rejects.toThrow(GrantNotHeld);
      expect(await update(who, role.name, [WRITE, READ])).toMatchObject({ version: 2 });
      expect(await update(who, role.name, [READ])).toMatchObject({ permissions: [READ] });
    });

    it('by a binding', async () => {
      const who = await authz.holder([...MAY_GRANT, READ]);
      const more = await authz.role([READ, WRITE]);
      const subject = newId();
      await expect(bind(who, subject, more.name)).rejects.toThrow(GrantNotHeld);
      await expect(bind(who, subject, 'platform-admin')).rejects.toThrow(GrantNotHeld);
      await expect(bind(who, who.id, 'platform-admin')).rejects.toThrow(GrantNotHeld);
      expect(await may(subject, READ)).toBe(false);
      const same = await authz.role([READ]);
      await bind(who, subject, same.name);
      expect(await may(subject, READ)).toBe(true);
    });

    it('in the platform by what they hold in an organization, or in one by what they hold in another', async () => {
      const [own, other] = [newId(), newId()];
      const who = await authz.holder([...MAY_GRANT, READ], organizationScope(own));
      const role = await authz.role([READ]);
      const subject = newId();
      await expect(bind(who, subject, role.name)).rejects.toThrow(PermissionDenied);
      await expect(bind(who, subject, role.name, organizationScope(other))).rejects.toThrow(
        PermissionDenied,
      );
      await bind(who, subject, role.name, organizationScope(own));
      expect(await may(subject, READ, organizationScope(own))).toBe(true);
      expect(await may(subject, READ, organizationScope(other))).toBe(false);
      expect(await may(subject, READ)).toBe(false);
    });

    it('in an organization by what they hold there alone: not by a role that holds more', async () => {
      const own = newId();
      const who = await authz.holder([...MAY_GRANT, READ], organizationScope(own));
      const more = await authz.role([READ, DELETE]);
      await expect(bind(who, newId(), more.name, organizationScope(own))).rejects.toThrow(
        GrantNotHeld,
      );
      await expect(createRole(who, [DELETE])).rejects.toThrow(GrantNotHeld);
    });

    it('by the role that every user holds', async () => {
      const who = await authz.holder([...MAY_GRANT, READ]);
      await expect(update(who, 'member', [WRITE])).rejects.toThrow(GrantNotHeld);
    });

    it('but who holds it in the platform grants it everywhere', async () => {
      const who = await authz.holder([...MAY_GRANT, READ]);
      const role = await authz.role([READ]);
      const [subject, organization] = [newId(), organizationScope(newId())];
      await bind(who, subject, role.name, organization);
      expect(await may(subject, READ, organization)).toBe(true);
    });

    it('after they lost it', async () => {
      const who = principalOf();
      const role = await authz.role([...MAY_GRANT, READ]);
      const binding = await authz.bind(who.id, role.name);
      await createRole(who, [READ]);
      await authz.do(new DeleteBinding(authz.administrator, binding.id));
      await expect(createRole(who, [READ])).rejects.toThrow(GrantNotHeld);
    });
  });

  describe('a role of an organization', () => {
    it('is bound in its organization alone', async () => {
      const [own, other] = [newId(), newId()];
      const role = await authz.role([READ], own);
      expect(role.organization_id).toBe(own);
      const subject = newId();
      await authz.bind(subject, role.name, organizationScope(own));
      expect(await may(subject, READ, organizationScope(own))).toBe(true);
      expect(await may(subject, READ, organizationScope(other))).toBe(false);
      await expect(authz.bind(subject, role.name, organizationScope(other))).rejects.toThrow(
        RoleNotFound,
      );
      await expect(authz.bind(subject, role.name)).rejects.toThrow(RoleNotFound);
    });

    it('counts nowhere else, even where a row says so', async () => {
      const [own, other] = [newId(), newId()];
      const role = await authz.role([READ], own);
      const subject = newId();
      await authz.bind(subject, role.name, organizationScope(own));
      for (const scope of ['platform', organizationScope(other)]) {
        await authz.service.sql(
          `INSERT INTO authz.bindings VALUES ($1, $2, $3, $4, now(), 'test')`,
          [newId(), subject, role.id, scope],
        );
      }
      expect(await may(subject, READ)).toBe(false);
      expect(await may(subject, READ, organizationScope(other))).toBe(false);
    });

    it('is seen, changed and deleted by its organization alone', async () => {
      const [own, other] = [newId(), newId()];
      const role = await authz.role([READ], own);
      const stranger = { ...authz.administrator, organizationId: other };
      expect(await authz.ask(new GetRole(role.name, own))).toEqual(role);
      for (const owner of [other, undefined]) {
        await expect(authz.ask(new GetRole(role.name, owner))).rejects.toThrow(RoleNotFound);
        const query = { page_size: 200 };
        const { items } = await authz.ask(new ListRoles(query, owner));
        expect(items).not.toContainEqual(role);
      }
      await expect(update(stranger, role.name, [])).rejects.toThrow(RoleNotFound);
      await expect(
        authz.do(new DeleteRole(stranger, role.name, undefined), stranger),
      ).rejects.toThrow(RoleNotFound);
    });

    it('may have the name of a role of the platform, and is then meant in its organization', async () => {
      const own = newId();
      const tenant = { ...authz.administrator, organizationId: own };
      const platform = await authz.role([READ, WRITE]);
      const role = await createRole(tenant, [READ], platform.name);
      const subject = newId();
      await authz.bind(subject, platform.name, organizationScope(own));
      expect(await may(subject, WRITE, organizationScope(own))).toBe(false);
      expect(await authz.ask(new GetRole(platform.name, own))).toEqual(role);
      expect(await authz.ask(new GetRole(platform.name, undefined))).toEqual(platform);
    });

    it('cannot have the name of a built-in one', async () => {
      const tenant = { ...authz.administrator, organizationId: newId() };
      for (const who of [tenant, authz.administrator]) {
        for (const reserved of ['platform-admin', 'member']) {
          await expect(createRole(who, [READ], reserved)).rejects.toThrow(RoleNameReserved);
        }
      }
    });

    it('leaves roles of the platform to the platform', async () => {
      const tenant = { ...authz.administrator, organizationId: newId() };
      const platform = await authz.role([READ]);
      await expect(update(tenant, platform.name, [])).rejects.toThrow(RoleNotFound);
      await expect(
        authz.do(new DeleteRole(tenant, platform.name, undefined), tenant),
      ).rejects.toThrow(RoleNotFound);
    });
  });

  describe('built-in roles', () => {
    it('platform-admin cannot be changed or deleted', async () => {
      const who = authz.administrator;
      await expect(update(who, 'platform-admin', [READ])).rejects.toThrow(RoleBuiltIn);
      for (const role of ['platform-admin', 'member']) {
        await expect(authz.do(new DeleteRole(who, role, undefined), who)).rejects.toThrow(
          RoleBuiltIn,
        );
      }
    });

    it('platform-admin holds every permission, ones nobody has declared yet included', async () => {
      const { id } = authz.administrator;
      expect(await may(id, 'some.thing.new')).toBe(true);
      expect(await may(id, 'some.thing.new', organizationScope(newId()))).toBe(true);
    });

    it('platform-admin bound in an organization holds everything there and nothing elsewhere', async () => {
      const [subject, organization] = [newId(), organizationScope(newId())];
      await authz.bind(subject, 'platform-admin', organization);
      expect(await may(subject, DELETE, organization)).toBe(true);
      expect(await may(subject, DELETE, organizationScope(newId()))).toBe(false);
      expect(await may(subject, DELETE)).toBe(false);
    });

    it('member is held by every user without a binding, by no service, and takes none', async () => {
      await expect(authz.bind(newId(), 'member')).rejects.toThrow(RoleImplicit);
      const { version } = await authz.ask(new GetRole('member', undefined));
      await update(authz.administrator, 'member', [READ], version);
      try {
        const anybody = newId();
        expect(await may(anybody, READ, organizationScope(newId()))).toBe(true);
        const robot = { subject_id: anybody, subject_type: 'service', permission: READ } as const;
        expect((await authz.ask(new Check({ ...robot, scope: 'platform' }))).allowed).toBe(false);
        const held = new GetSubjectPermissions(anybody, {
          scope: 'platform',
          subject_type: 'user',
        });
        expect(await authz.ask(held)).toEqual({
          all_permissions: false,
          permissions: [READ],
          roles: [{ role: 'member', scope: 'platform', implicit: true }],
        });
      } finally {
        await update(authz.administrator, 'member', []);
      }
    });
  });

  describe('roles', () => {
    it('hold declared permissions only', async () => {
      const error: unknown = await createRole(authz.administrator, [READ, 'a.b.c', 'd.e.f']).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(PermissionUnknown);
      expect(error).toMatchObject({ violations: [{}, {}] });
    });

    it('have one name in one owner, also when 10 are made at once', async () => {
      const same = name();
      const made = await Promise.allSettled(
        Array.from({ length: 10 }, () => createRole(authz.administrator, [READ], same)),
      );
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const one of made) {
        if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(RoleExists);
      }
    });

    it('are changed from the version that is current', async () => {
      const role = await authz.role([READ]);
      await update(authz.administrator, role.name, [], 1);
      await expect(update(authz.administrator, role.name, [READ], 1)).rejects.toThrow(
        PreconditionFailed,
      );
    });

    it('take their bindings with them, and say so', async () => {
      const role = await authz.role([READ]);
      const subject = newId();
      const binding = await authz.bind(subject, role.name);
      await authz.do(new DeleteRole(authz.administrator, role.name, 1), authz.administrator);
      expect(await may(subject, READ)).toBe(false);
      await expect(authz.ask(new GetBinding(authz.administrator, binding.id))).rejects.toThrow(
        BindingNotFound,
      );
      const ofRole = await authz.service.eventsOf(role.id, 2);
      expect(ofRole.map(({ type, sequence }) => [type, sequence])).toEqual([
        ['authz.role.created.v1', 1],
        ['authz.role.deleted.v1', 2],
      ]);
      const [, deleted] = await authz.service.eventsOf(binding.id, 2);
      expect(deleted).toMatchObject({
        type: 'authz.binding.deleted.v1',
        data: { role: role.name },
      });
      const [, changed] = await authz.service.eventsOf(subject, 2);
      expect(changed).toMatchObject({ type: 'authz.grants.changed.v1', data: { bindings: [] } });
    });
  });

  describe('bindings', () => {
    it('exist once, also when 10 are made at once', async () => {
      const role = await authz.role([READ]);
      const subject = newId();
      const made = await Promise.allSettled(
        Array.from({ length: 10 }, () => authz.bind(subject, role.name)),
      );
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const one of made) {
        if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(BindingExists);
      }
    });

    it('of an organization are what its token shows, and are deleted by who may there', async () => {
      const [own, other] = [newId(), newId()];
      const role = await authz.role([READ]);
      const mine = await authz.bind(newId(), role.name, organizationScope(own));
      const theirs = await authz.bind(newId(), role.name, organizationScope(other));
      const who = await authz.holder(['authz.binding.delete'], organizationScope(own));
      const query = ListBindingsQuery.parse({ role: role.name });
      const { items } = await authz.ask(new ListBindings(who, query));
      expect(items).toEqual([mine]);
      await expect(authz.ask(new GetBinding(who, theirs.id))).rejects.toThrow(BindingNotFound);
      await expect(authz.do(new DeleteBinding(who, theirs.id), who)).rejects.toThrow(
        PermissionDenied,
      );
      await authz.do(new DeleteBinding(who, mine.id), who);
      await expect(authz.do(new DeleteBinding(who, mine.id), who)).rejects.toThrow(BindingNotFound);
    });

    it('are listed by subject, role and scope, in pages, newest first', async () => {
      const subject = newId();
      const roles = [await authz.role([READ]), await authz.role([]), await authz.role([])];
      const made = [];
      for (const role of roles) made.unshift(await authz.bind(subject, role.name));
      const list = (query: object) =>
        authz.ask(new ListBindings(authz.administrator, ListBindingsQuery.parse(query)));
      const first = await list({ subject_id: subject, page_size: 2 });
      const second = await list({
        subject_id: subject,
        page_size: 2,
        page_token: first.next_page_token,
      });
      expect([...first.items, ...second.items]).toEqual(made);
      expect(second.next_page_token).toBeNull();
      const { items } = await list({ role: roles[0]?.name, scope: 'platform' });
      expect(items).toEqual([made[2]]);
    });

    it('say who made them', async () => {
      const who = await authz.holder([...MAY_GRANT, READ]);
      const role = await authz.role([READ]);
      expect(await bind(who, newId(), role.name)).toMatchObject({ created_by: who.id });
    });
  });
});
