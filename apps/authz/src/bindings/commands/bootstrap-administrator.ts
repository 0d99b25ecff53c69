import { AdministratorExists } from '@gatehouse/contracts-authz';
import { newId } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { PLATFORM_ADMIN_ID } from '../../migrations/authz.migrations.ts';
import { RoleStore } from '../../roles/role.store.ts';
import { AdministratorLock } from '../administrator.lock.ts';
import { BindingStore } from '../binding.store.ts';

/** The first administrator: the one binding that nobody grants who holds it. Idempotent for the same user. */
export class BootstrapAdministrator extends Command<{ bindingId: string }> {
  constructor(readonly userId: string) {
    super();
  }
}

@CommandHandler(BootstrapAdministrator)
export class BootstrapAdministratorHandler implements ICommandHandler<BootstrapAdministrator> {
  constructor(
    private readonly roles: RoleStore,
    private readonly bindings: BindingStore,
    private readonly administrators: AdministratorLock,
  ) {}

  /** @throws AdministratorExists where somebody else is administrator already */
  @Transactional()
  async execute({ userId }: BootstrapAdministrator): Promise<{ bindingId: string }> {
    const holders = await this.administrators.lock();
    const own = holders.find((holder) => holder.subject_id === userId);
    if (own) return { bindingId: own.id };
    if (holders.length > 0) throw new AdministratorExists();
    const role = await this.roles.share(PLATFORM_ADMIN_ID);
    const binding = this.bindings.rows.create({
      id: newId(),
      subjectId: userId,
      roleId: role.id,
      role,
      scope: 'platform',
      createdAt: new Date(),
      createdBy: 'provisioner',
    });
    await this.bindings.add(binding);
    return { bindingId: binding.id };
  }
}
