import { RoleBuiltIn } from '@gatehouse/contracts-authz';
import { IntegrationEvents } from '@gatehouse/event-bus';
import type { Principal } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { BindingStore } from '../../bindings/binding.store.ts';
import { GrantChanges } from '../../changes/grant-changes.ts';
import { RoleStore } from '../role.store.ts';

/** The role goes, and every binding that names it. */
export class DeleteRole extends Command<void> {
  constructor(
    readonly who: Principal,
    readonly name: string,
    readonly expectedVersion: number | undefined,
  ) {
    super();
  }
}

@CommandHandler(DeleteRole)
export class DeleteRoleHandler implements ICommandHandler<DeleteRole> {
  constructor(
    private readonly roles: RoleStore,
    private readonly bindings: BindingStore,
    private readonly events: IntegrationEvents,
    private readonly changes: GrantChanges,
  ) {}

  /**
   * @throws RoleNotFound, RoleBuiltIn
   * @throws PreconditionFailed where a version is expected and it is not this one
   */
  @Transactional()
  async execute({ who, name, expectedVersion }: DeleteRole): Promise<void> {
    const role = await this.roles.lock(name, who.organizationId, expectedVersion);
    if (role.builtIn) throw new RoleBuiltIn(`The role "${name}" cannot be deleted.`);
    await this.bindings.removeWhere({ roleId: role.id });
    await this.roles.rows.delete({ id: role.id });
    this.events.publish('authz.role.deleted.v1', {
      key: role.id,
      data: { role_id: role.id, version: role.version + 1, name },
    });
    await this.changes.roleChanged(role, true);
  }
}
