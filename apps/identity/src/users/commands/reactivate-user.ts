import { CacheThrough } from '@gatehouse/cache';
import { UserNotDeactivated } from '@gatehouse/contracts-identity';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { USER_WRITTEN } from '../user.cache.ts';
import { toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UserView } from '../users.schemas.ts';

/** The user can log in again; sessions that ended stay ended. */
export class ReactivateUser extends Command<UserView> {
  constructor(readonly id: string) {
    super();
  }
}

@CommandHandler(ReactivateUser)
export class ReactivateUserHandler implements ICommandHandler<ReactivateUser> {
  constructor(
    private readonly users: UserStore,
    private readonly events: IntegrationEvents,
  ) {}

  /**
   * @throws UserNotFound
   * @throws UserNotDeactivated
   */
  @Transactional()
  @CacheThrough<UserView>(USER_WRITTEN)
  async execute({ id }: ReactivateUser): Promise<UserView> {
    const user = await this.users.lock(id);
    if (user.status === 'active') throw new UserNotDeactivated();
    user.status = 'active';
    const { version } = await this.users.save(user);
    this.events.publish('identity.user.reactivated.v1', {
      key: id,
      data: { user_id: id, version },
    });
    return toView(user);
  }
}
