import { PasswordUnchanged, PasswordWrong } from '@gatehouse/contracts-auth';
import { IntegrationEvents } from '@gatehouse/event-bus';
import type { Principal } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PermissionDenied } from '@gatehouse/contracts-platform';

import type { ChangePasswordBody } from '../../auth.schemas.ts';
import { PasswordHasher } from '../../passwords/password-hasher.ts';
import { assertGoodPassword } from '../../passwords/password-rules.ts';
import { SessionEnding } from '../../sessions/session-ending.ts';
import { type Credential, CredentialStore } from '../credential.store.ts';
import { GuessThrottle } from '../guess-throttle.ts';
import { KnownNetworks } from '../known-networks.ts';

/** Ends every other session of the user. */
export class ChangePassword extends Command<void> {
  constructor(
    readonly who: Principal,
    readonly body: ChangePasswordBody,
  ) {
    super();
  }
}

@CommandHandler(ChangePassword)
export class ChangePasswordHandler implements ICommandHandler<ChangePassword> {
  constructor(
    private readonly credentials: CredentialStore,
    private readonly throttle: GuessThrottle,
    private readonly networks: KnownNetworks,
    private readonly hasher: PasswordHasher,
    private readonly ending: SessionEnding,
    private readonly events: IntegrationEvents,
  ) {}

  /**
   * @throws PasswordWrong; guesses here count with those at the login
   * @throws PasswordUnchanged, PasswordTooShort, PasswordTooLong, PasswordTooCommon
   */
  async execute({ who, body }: ChangePassword): Promise<void> {
    if (who.type !== 'user') throw new PermissionDenied('A service account has no password.');
    const { current_password: current, new_password: next } = body;
    await assertGoodPassword(next, [], '/new_password');
    const credential = await this.credentials.find(who.id);
    const hash = credential?.passwordHash ?? undefined;
    const network = this.networks.current(who.id);
    const known = await this.networks.isKnown(who.id, network);
    const right = await this.hasher.verify(current, hash, () =>
      this.throttle.take(`user:${who.id}`, known ? 'known' : 'stranger'),
    );
    if (!right || credential === undefined) throw new PasswordWrong();
    if (current.normalize('NFKC') === next.normalize('NFKC')) throw new PasswordUnchanged();
    await this.change(who, credential, await this.hasher.hash(next));
  }

  @Transactional()
  async change(who: Principal, checked: Credential, hash: string): Promise<void> {
    const credential = await this.credentials.findForUpdate(who.id);
    // Changed by another call since it was checked: what was right is so no more.
    if (credential?.version !== checked.version) throw new PasswordWrong();
    await this.credentials.setPassword(who.id, hash);
    await this.throttle.reset(`user:${who.id}`);
    await this.ending.endAll(who.id, 'password_changed', who.sessionId);
    this.events.publish('auth.password.changed.v1', { key: who.id, data: { user_id: who.id } });
  }
}
