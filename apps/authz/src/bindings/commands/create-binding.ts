import { BindingExists, RoleImplicit } from '@gatehouse/contracts-authz';
import { newId, type Principal } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { Holdings } from '../../decisions/holdings.ts';
import type { Role } from '../../roles/role.entity.ts';
import { RoleStore } from '../../roles/role.store.ts';
import { BindingStore } from '../binding.store.ts';
import { type BindingView, type CreateBindingBody, toView } from '../bindings.schemas.ts';

export const CREATE_BINDING = 'authz.binding.create';

export class CreateBinding extends Command<BindingView> {
  constructor(
    readonly who: Principal,
    readonly binding: CreateBindingBody,
  ) {
    super();
  }
}

@CommandHandler(CreateBinding)
export class CreateBindingHandler implements ICommandHandler<CreateBinding> {
  constructor(
    private readonly roles: RoleStore,
    private readonly bindings: BindingStore,
    private readonly holdings: Holdings,
  ) {}

  /**
   * @throws PermissionDenied where the caller may not bind in that scope
   * @throws GrantNotHeld where the role holds what the caller does not
   * @throws RoleNotFound, also for a role of another organization than the scope's; RoleImplicit, BindingExists
   */
  @Transactional()
  async execute({ who, binding: wanted }: CreateBinding): Promise<BindingView> {
    await this.holdings.assertHolds(who, CREATE_BINDING, wanted.scope);
    const named = await this.roles.visible(wanted.role, organizationOf(wanted.scope));
    // What the role holds is judged and bound as one: nobody adds to it in between.
    const role = await this.roles.share(named.id);
    if (role.implicit)
      throw new RoleImplicit(`Every active user holds "${role.name}" without a binding.`);
    await this.assertMayGrant(who, role, wanted.scope);
    const binding = this.bindings.rows.create({
      id: newId(),
      subjectId: wanted.subject_id,
      roleId: role.id,
      role,
      scope: wanted.scope,
      createdAt: new Date(),
      createdBy: who.id,
    });
    if (!(await this.bindings.add(binding))) throw new BindingExists();
    return toView(binding);
  }

  private assertMayGrant(who: Principal, role: Role, scope: string): Promise<void> {
    return role.allPermissions
      ? this.holdings.assertHoldsAll(who, scope)
      : this.holdings.assertMayGrant(who, role.permissions, scope);
  }
}

function organizationOf(scope: string): string | undefined {
  return scope.startsWith('organization:') ? scope.slice('organization:'.length) : undefined;
}
