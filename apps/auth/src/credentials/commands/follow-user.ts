import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { RevocationChanges } from '../../revocations/revocation-changes.ts';
import { SessionEnding } from '../../sessions/session-ending.ts';
import { RegistrationStore } from '../../registration/registration.store.ts';
import { CredentialStore } from '../credential.store.ts';
import { GuessThrottle } from '../guess-throttle.ts';
import { KnownNetworks } from '../known-networks.ts';

/** What Identity says has become of a user. */
export class FollowUser extends Command<void> {
  constructor(
    readonly userId: string,
    readonly became: 'deactivated' | 'reactivated' | 'deleted',
  ) {
    super();
  }
}

/**
 * The credential's row is locked first: a login that has not started its session by then finds the credential changed,
 * one that has is found here and ended.
 */
@CommandHandler(FollowUser)
export class FollowUserHandler implements ICommandHandler<FollowUser> {
  constructor(
    private readonly credentials: CredentialStore,
    private readonly registrations: RegistrationStore,
    private readonly throttle: GuessThrottle,
    private readonly networks: KnownNetworks,
    private readonly ending: SessionEnding,
    private readonly changes: RevocationChanges,
  ) {}

  @Transactional()
  async execute({ userId, became }: FollowUser): Promise<void> {
    const credential = await this.credentials.claim(userId);
    if (credential.deleted) return;
    switch (became) {
      case 'deactivated':
        await this.credentials.setDisabled(userId, true);
        await this.ending.endAll(userId, 'user_deactivated');
        return this.changes.subjectDisabled(userId);
      case 'reactivated':
        await this.credentials.setDisabled(userId, false);
        await this.throttle.reset(`user:${userId}`);
        return this.changes.subjectEnabled(userId);
      case 'deleted':
        await this.credentials.setDeleted(userId);
        await this.registrations.delete(userId);
        await this.throttle.reset(`user:${userId}`);
        await this.networks.forgetAllOf(userId);
        await this.ending.endAll(userId, 'user_deleted');
        return this.changes.subjectDeleted(userId);
    }
  }
}
