import { EmailTaken, UserExists } from '@gatehouse/contracts-identity';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { toEventState, toView } from '../user.mapping.ts';
import { UserStore } from '../user.store.ts';
import type { UserView } from '../users.schemas.ts';

/** Idempotent by id: repeated with the same address it answers with the stored user. */
export class CreateUser extends Command<UserView> {
  constructor(
    readonly user: {
      id: string;
      email: string;
      /** Default: the address up to its `@`. */
      displayName?: string | undefined;
    },
  ) {
    super();
  }
}

@CommandHandler(CreateUser)
export class CreateUserHandler implements ICommandHandler<CreateUser> {
  constructor(
    private readonly users: UserStore,
    private readonly events: IntegrationEvents,
  ) {}

  /**
   * @throws EmailTaken
   * @throws UserExists where the id belongs to a user with another address
   */
  @Transactional()
  async execute({ user: wanted }: CreateUser): Promise<UserView> {
    const now = new Date();
    const user = this.users.rows.create({
      id: wanted.id,
      email: wanted.email,
      displayName: wanted.displayName ?? wanted.email.slice(0, wanted.email.lastIndexOf('@')),
      status: 'active',
      version: 1,
      createdAt: now,
      updatedAt: now,
    });
    if (!(await this.users.insert(user))) return this.existing(wanted);
    this.events.publish('identity.user.created.v1', { key: user.id, data: toEventState(user) });
    return toView(user);
  }

  private async existing({ id, email }: CreateUser['user']): Promise<UserView> {
    const known = await this.users.rows.findOneBy({ id });
    if (known?.email === email) return toView(known);
    if (known) throw new UserExists();
    throw new EmailTaken();
  }
}
