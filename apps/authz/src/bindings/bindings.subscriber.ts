import type {} from '@gatehouse/contracts-identity';
import type { CloudEvent, IntegrationEventMap } from '@gatehouse/contracts-platform';
import { OnIntegrationEvent } from '@gatehouse/event-bus';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';

import { DropSubject } from './commands/drop-subject.ts';

@Injectable()
export class BindingsSubscriber {
  constructor(private readonly commands: CommandBus) {}

  @OnIntegrationEvent('identity.user.deleted.v1', { consumer: 'drop-bindings' })
  async userDeleted({
    data,
  }: CloudEvent<IntegrationEventMap['identity.user.deleted.v1']>): Promise<void> {
    await this.commands.execute(new DropSubject(data.user_id));
  }
}
