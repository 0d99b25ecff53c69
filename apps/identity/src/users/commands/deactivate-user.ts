import { CacheThrough } from '@gatehouse/cache';
import { UserDeactivated } from '@gatehouse/contracts-identity';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { USER_WRITTEN } from '../user.cache.ts';
import { toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UserView } from '../users.schemas.ts';

/** The user stays, but cannot log in; Auth ends the sessions when it hears of it. */
export class DeactivateUser extends Command<UserView> {
  constructor(readonly id: string) {
    super();
  }
}

@CommandHandler(DeactivateUser)
export class DeactivateUserHandler implements ICommandHandler<DeactivateUser> {
  constructor(
    private readonly users: UserStore,
    private readonly events: IntegrationEvents,
  ) {}

  /**
   * @throws UserNotFound
   * @throws UserDeactivated
   */
  @Transactional()
  @CacheThrough<UserView>(USER_WRITTEN)
  async execute({ id }: DeactivateUser): Promise<UserView> {
    const user = await this.users.lock(id);
    if (user.status === 'deactivated') throw new UserDeactivated();
    user.status = 'deactivated';
    const { version } = await this.users.save(user);
    this.events.publish('identity.user.deactivated.v1', {
      key: id,
      data: { user_id: id, version },
    });
    return toView(user);
  }
}
