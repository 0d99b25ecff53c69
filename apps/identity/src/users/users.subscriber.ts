import { Evicts } from '@gatehouse/cache';
import type { CloudEvent } from '@gatehouse/contracts-platform';
import { OnIntegrationEvent } from '@gatehouse/event-bus';
import { Injectable } from '@nestjs/common';

import { USERS_CACHE } from './user.cache.ts';

/** Another instance has changed a user: what this one's cache holds of it is old. */
@Injectable()
export class UsersSubscriber {
  @OnIntegrationEvent(
    [
      'identity.user.updated.v1',
      'identity.user.deactivated.v1',
      'identity.user.reactivated.v1',
      'identity.user.deleted.v1',
    ],
    { consumer: 'evict-users', mode: 'broadcast' },
  )
  @Evicts({
    cache: USERS_CACHE,
    key: (event: CloudEvent<{ user_id: string }>) => event.data.user_id,
  })
  async changed(_event: CloudEvent<{ user_id: string }>): Promise<void> {
    // The decorator evicts.
  }
}
