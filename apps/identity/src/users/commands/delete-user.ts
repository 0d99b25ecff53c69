import { Evicts } from '@gatehouse/cache';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { USERS_CACHE } from '../user.cache.ts';
import { UserStore } from '../user.store.ts';

/** The row goes; sessions and bindings go when Auth and Authz hear of it; the audit trail stays. */
export class DeleteUser extends Command<void> {
  constructor(
    readonly id: string,
    readonly expectedVersion?: number,
  ) {
    super();
  }
}

@CommandHandler(DeleteUser)
export class DeleteUserHandler implements ICommandHandler<DeleteUser> {
  constructor(
    private readonly users: UserStore,
    private readonly events: IntegrationEvents,
  ) {}

  /**
   * @throws UserNotFound
   * @throws PreconditionFailed where a version is expected and it is not this one
   */
  @Transactional()
  @Evicts({ cache: USERS_CACHE, key: ({ id }: DeleteUser) => id })
  async execute({ id, expectedVersion }: DeleteUser): Promise<void> {
    const user = await this.users.lock(id, expectedVersion);
    await this.users.rows.delete({ id });
    this.events.publish('identity.user.deleted.v1', {
      key: id,
      data: { user_id: id, version: user.version + 1 },
    });
  }
}
