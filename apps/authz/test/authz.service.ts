import { eventBusMigrations } from '@gatehouse/event-bus';
import { ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { newId, type Principal } from '@gatehouse/kernel';
import { asCaller, principalOf } from '@gatehouse/guards/testing/service';
import { type Command, CommandBus, type Query, QueryBus } from '@nestjs/cqrs';

import { AuthzModule } from '../src/authz.module.ts';
import { BootstrapAdministrator } from '../src/bindings/commands/bootstrap-administrator.ts';
import { CreateBinding } from '../src/bindings/commands/create-binding.ts';
import { RegisterPermissions } from '../src/catalogue/commands/register-permissions.ts';
import { authzMigrations } from '../src/migrations/authz.migrations.ts';
import { CreateRole } from '../src/roles/commands/create-role.ts';
import type { RoleView } from '../src/roles/roles.schemas.ts';

/** What a service of the tests declares. */
export const CATALOGUE = ['read', 'write', 'delete'].map((action) => ({
  name: `identity.note.${action}`,
  description: '',
  scope: 'organization' as const,
}));
export const [READ, WRITE, DELETE] = CATALOGUE.map(({ name }) => name) as [string, string, string];

/** Permissions it takes to hand out roles. */
export const MAY_GRANT = ['authz.role.create', 'authz.role.update', 'authz.binding.create'];

export const organizationScope = (id: string) => `organization:${id}`;

/** Authz, whole, on a database of its own, with an administrator and what it takes to say who may do what. */
export class AuthzUnderTest {
  readonly administrator = principalOf();

  private constructor(readonly service: ServiceUnderTest) {}

  static async start(): Promise<AuthzUnderTest> {
    const service = await ServiceUnderTest.start(AuthzModule, {
      packageDir: new URL('..', import.meta.url).pathname,
      migrations: [...eventBusMigrations, ...authzMigrations],
    });
    return new AuthzUnderTest(service);
  }

  /** With the test's catalogue, and the administrator as such. */
  static async prepared(): Promise<AuthzUnderTest> {
    const authz = await AuthzUnderTest.start();
    await authz.do(
      new RegisterPermissions('identity', { permissions: CATALOGUE, manifestDigest: 'd' }),
    );
    await authz.do(new BootstrapAdministrator(authz.administrator.id));
    return authz;
  }

  do<R>(command: Command<R>, who?: Principal): Promise<R> {
    const commands = this.service.first.get(CommandBus);
    const run = () => commands.execute(command);
    return who === undefined ? run() : asCaller(who, run);
  }

  ask<R>(query: Query<R>): Promise<R> {
    return this.service.first.get(QueryBus).execute(query);
  }

  /** A new role, made by the administrator; of the organization where one is named. */
  role(permissions: string[], organizationId?: string): Promise<RoleView> {
    const who = { ...this.administrator, ...(organizationId !== undefined && { organizationId }) };
    const name = `role-${newId().slice(-12)}`;
    return this.do(new CreateRole(who, { name, description: '', permissions }), who);
  }

  bind(subject_id: string, role: string, scope = 'platform') {
    const who = this.administrator;
    return this.do(new CreateBinding(who, { subject_id, role, scope }), who);
  }

  /** Somebody new who holds exactly these permissions in that scope; acting in it. */
  async holder(permissions: string[], scope = 'platform'): Promise<Principal> {
    const role = await this.role(permissions);
    const who = principalOf(
      scope === 'platform' ? {} : { organizationId: scope.slice('organization:'.length) },
    );
    await this.bind(who.id, role.name, scope);
    return who;
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}
