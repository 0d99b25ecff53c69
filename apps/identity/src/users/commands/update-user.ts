import { EmailTaken } from '@gatehouse/contracts-identity';
import { PermissionDenied } from '@gatehouse/contracts-platform';
import { CacheThrough } from '@gatehouse/cache';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { GrantView, PLATFORM_SCOPE } from '@gatehouse/guards';
import type { Principal } from '@gatehouse/kernel';
import { isUniqueViolation, Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { USER_WRITTEN } from '../user.cache.ts';
import type { User } from '../user.entity.ts';
import { toEventState, toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UpdateUserBody, UserView } from '../users.schemas.ts';

export const UPDATE_USER = 'identity.user.update';

export class UpdateUser extends Command<UserView> {
  constructor(
    readonly who: Principal,
    readonly id: string,
    readonly change: UpdateUserBody,
    readonly expectedVersion: number | undefined,
  ) {
    super();
  }
}

@CommandHandler(UpdateUser)
export class UpdateUserHandler implements ICommandHandler<UpdateUser> {
  constructor(
    private readonly users: UserStore,
    private readonly events: IntegrationEvents,
    private readonly grants: GrantView,
  ) {}

  /**
   * @throws UserNotFound
   * @throws PreconditionFailed where the user has another version
   * @throws PermissionDenied where a user would change the own address: it names the account, and nothing has verified it
   * @throws EmailTaken
   */
  @Transactional()
  @CacheThrough<UserView>(USER_WRITTEN)
  async execute({ who, id, change, expectedVersion }: UpdateUser): Promise<UserView> {
    const user = await this.users.lock(id, expectedVersion);
    if (change.email !== undefined && change.email !== user.email) await this.mayChangeEmail(who);
    const changed = apply(change, user);
    if (changed.length === 0) return toView(user);
    const saved = await this.users.save(user).catch((error: unknown) => {
      throw isUniqueViolation(error) ? new EmailTaken() : error;
    });
    this.events.publish('identity.user.updated.v1', {
      key: id,
      data: { ...toEventState(saved), changed },
    });
    return toView(saved);
  }

  private async mayChangeEmail(who: Principal): Promise<void> {
    const { allowed } = await this.grants.decide(who, UPDATE_USER, PLATFORM_SCOPE);
    if (!allowed) {
      throw new PermissionDenied(`Changing an e-mail address needs the permission ${UPDATE_USER}.`);
    }
  }
}

/** Names the members that differ now. */
function apply(change: UpdateUserBody, user: User): string[] {
  const changed: string[] = [];
  if (change.email !== undefined && change.email !== user.email) {
    user.email = change.email;
    changed.push('email');
  }
  if (change.display_name !== undefined && change.display_name !== user.displayName) {
    user.displayName = change.display_name;
    changed.push('display_name');
  }
  return changed;
}
