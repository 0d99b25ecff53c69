import type {} from '@gatehouse/contracts-identity';
import type { CloudEvent, IntegrationEventMap } from '@gatehouse/contracts-platform';
import { OnIntegrationEvent } from '@gatehouse/event-bus';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';

import { FollowUser } from './commands/follow-user.ts';

const BECAME = {
  'identity.user.deactivated.v1': 'deactivated',
  'identity.user.reactivated.v1': 'reactivated',
  'identity.user.deleted.v1': 'deleted',
} as const;
type UserEventType = keyof typeof BECAME;

@Injectable()
export class UsersSubscriber {
  constructor(private readonly commands: CommandBus) {}

  /** One consumer for all three: what becomes of a user is followed in order. */
  @OnIntegrationEvent(
    ['identity.user.deactivated.v1', 'identity.user.reactivated.v1', 'identity.user.deleted.v1'],
    { consumer: 'end-sessions' },
  )
  async userChanged({ type, data }: CloudEvent<IntegrationEventMap[UserEventType]>): Promise<void> {
    await this.commands.execute(new FollowUser(data.user_id, BECAME[type as UserEventType]));
  }
}
