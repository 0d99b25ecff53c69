import { BindingNotFound, LastAdministrator } from '@gatehouse/contracts-authz';
import type { Principal } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { Holdings } from '../../decisions/holdings.ts';
import { PLATFORM_ADMIN_ID } from '../../migrations/authz.migrations.ts';
import { BindingStore } from '../binding.store.ts';
import { AdministratorLock } from '../administrator.lock.ts';

export class DeleteBinding extends Command<void> {
  constructor(
    readonly who: Principal,
    readonly id: string,
  ) {
    super();
  }
}

@CommandHandler(DeleteBinding)
export class DeleteBindingHandler implements ICommandHandler<DeleteBinding> {
  constructor(
    private readonly bindings: BindingStore,
    private readonly holdings: Holdings,
    private readonly administrators: AdministratorLock,
  ) {}

  /**
   * @throws BindingNotFound
   * @throws PermissionDenied where the caller may not unbind in the binding's scope
   * @throws LastAdministrator: the platform is never left without one by this way
   */
  @Transactional()
  async execute({ who, id }: DeleteBinding): Promise<void> {
    const binding = await this.bindings.rows.findOneBy({ id });
    if (!binding) throw new BindingNotFound();
    await this.holdings.assertHolds(who, 'authz.binding.delete', binding.scope);
    if (binding.roleId === PLATFORM_ADMIN_ID && binding.scope === 'platform') {
      const holders = await this.administrators.lock();
      if (holders.length === 1 && holders[0]?.id === id) throw new LastAdministrator();
    }
    if ((await this.bindings.removeWhere({ id })) === 0) throw new BindingNotFound();
  }
}
