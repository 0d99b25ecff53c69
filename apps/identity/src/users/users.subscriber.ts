import { Evicts } from '@gatehouse/cache';
import type { CloudEvent } from '@gatehouse/contracts-platform';
import { OnIntegrationEvent } from '@gatehouse/event-bus';
import { Injectable } from '@nestjs/common';

import { USERS_CACHE } from './user.cache.ts';

type UserChanged = CloudEvent<{ user_id: string; version: number }>;

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
    key: (event: UserChanged) => event.data.user_id,
    // In a store that instances share, what was written through stays.
    version: (event: UserChanged) => event.data.version,
  })
  async changed(_event: UserChanged): Promise<void> {
    // The decorator evicts.
  }
}
