import { RoleBuiltIn } from '@gatehouse/contracts-authz';
import { IntegrationEvents } from '@gatehouse/event-bus';
import type { Principal } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { Catalogue } from '../../catalogue/catalogue.ts';
import { GrantChanges } from '../../changes/grant-changes.ts';
import { Holdings } from '../../decisions/holdings.ts';
import { ownerScope } from '../../decisions/scope.ts';
import { toEventState, toView } from '../role.mapping.ts';
import { RoleStore } from '../role.store.ts';
import type { RoleView, UpdateRoleBody } from '../roles.schemas.ts';

export class UpdateRole extends Command<RoleView> {
  constructor(
    readonly who: Principal,
    readonly name: string,
    readonly change: UpdateRoleBody,
    readonly expectedVersion: number | undefined,
  ) {
    super();
  }
}

@CommandHandler(UpdateRole)
export class UpdateRoleHandler implements ICommandHandler<UpdateRole> {
  constructor(
    private readonly roles: RoleStore,
    private readonly catalogue: Catalogue,
    private readonly holdings: Holdings,
    private readonly events: IntegrationEvents,
    private readonly changes: GrantChanges,
  ) {}

  /**
   * Adding a permission is a grant to all who hold the role. `member` may be given permissions; `platform-admin` holds all.
   * @throws RoleNotFound, RoleBuiltIn, PermissionUnknown, GrantNotHeld
   * @throws PreconditionFailed where the role has another version
   */
  @Transactional()
  async execute({ who, name, change, expectedVersion }: UpdateRole): Promise<RoleView> {
    const role = await this.roles.lock(name, who.organizationId, expectedVersion);
    if (role.allPermissions) throw new RoleBuiltIn(`The role "${name}" cannot be changed.`);
    if (change.permissions !== undefined) {
      const added = change.permissions.filter(
        (permission) => !role.permissions.includes(permission),
      );
      await this.catalogue.assertDeclared(added, '/permissions');
      await this.holdings.assertMayGrant(who, added, ownerScope(who.organizationId));
      role.permissions = change.permissions;
    }
    if (change.description !== undefined) role.description = change.description;
    role.version += 1;
    role.updatedAt = new Date();
    await this.roles.rows.save(role);
    this.events.publish('authz.role.updated.v1', { key: role.id, data: toEventState(role) });
    await this.changes.roleChanged(role);
    return toView(role);
  }
}
