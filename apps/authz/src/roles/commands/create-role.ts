import { RoleExists, RoleNameReserved } from '@gatehouse/contracts-authz';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { newId, type Principal } from '@gatehouse/kernel';
import { isUniqueViolation, Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { Catalogue } from '../../catalogue/catalogue.ts';
import { GrantChanges } from '../../changes/grant-changes.ts';
import { Holdings } from '../../decisions/holdings.ts';
import { ownerScope } from '../../decisions/scope.ts';
import { BUILT_IN_ROLES } from '../../migrations/authz.migrations.ts';
import { toEventState, toView } from '../role.mapping.ts';
import { RoleStore } from '../role.store.ts';
import type { CreateRoleBody, RoleView } from '../roles.schemas.ts';

export class CreateRole extends Command<RoleView> {
  constructor(
    readonly who: Principal,
    readonly role: CreateRoleBody,
  ) {
    super();
  }
}

@CommandHandler(CreateRole)
export class CreateRoleHandler implements ICommandHandler<CreateRole> {
  constructor(
    private readonly roles: RoleStore,
    private readonly catalogue: Catalogue,
    private readonly holdings: Holdings,
    private readonly events: IntegrationEvents,
    private readonly changes: GrantChanges,
  ) {}

  /**
   * A role of the organization that the caller's token chose, else of the platform.
   * @throws RoleNameReserved, PermissionUnknown, GrantNotHeld, RoleExists
   */
  @Transactional()
  async execute({ who, role: wanted }: CreateRole): Promise<RoleView> {
    // An organization's role is found before the platform's of that name: nobody is to mistake one for the other.
    if (BUILT_IN_ROLES.includes(wanted.name)) {
      throw new RoleNameReserved(`"${wanted.name}" is the name of a built-in role.`);
    }
    await this.catalogue.assertDeclared(wanted.permissions, '/permissions');
    await this.holdings.assertMayGrant(who, wanted.permissions, ownerScope(who.organizationId));
    const now = new Date();
    const role = this.roles.rows.create({
      id: newId(),
      name: wanted.name,
      description: wanted.description,
      organizationId: who.organizationId ?? null,
      permissions: wanted.permissions,
      allPermissions: false,
      implicit: false,
      builtIn: false,
      version: 1,
      createdAt: now,
      updatedAt: now,
    });
    await this.roles.rows.insert(role).catch((error: unknown) => {
      throw isUniqueViolation(error)
        ? new RoleExists(`There is a role "${role.name}" already.`)
        : error;
    });
    this.events.publish('authz.role.created.v1', { key: role.id, data: toEventState(role) });
    await this.changes.roleChanged(role);
    return toView(role);
  }
}
