import { setTimeout as sleep } from 'node:timers/promises';

import { newId } from '@gatehouse/kernel';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { AuthConfig } from '../../auth.config.ts';
import type { RegisterBody } from '../../auth.schemas.ts';
import { KnownNetworks } from '../../credentials/known-networks.ts';
import { LoginAudit } from '../../login-audit.ts';
import { PasswordHasher } from '../../passwords/password-hasher.ts';
import { assertGoodPassword } from '../../passwords/password-rules.ts';
import type { Origin } from '../../sessions/session-origin.ts';
import { RegistrationCompletion } from '../registration-completion.ts';
import { type Registration, RegistrationStore } from '../registration.store.ts';

/** Answers the same whether or not the address is known; an account that exists is not changed. */
export class Register extends Command<void> {
  constructor(
    readonly body: RegisterBody,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(Register)
export class RegisterHandler implements ICommandHandler<Register> {
  constructor(
    private readonly hasher: PasswordHasher,
    private readonly registrations: RegistrationStore,
    private readonly completion: RegistrationCompletion,
    private readonly networks: KnownNetworks,
    private readonly audit: LoginAudit,
    private readonly config: AuthConfig,
  ) {}

  /**
   * @throws PasswordTooShort, PasswordTooLong, PasswordTooCommon
   * @throws ServiceUnavailable where too many passwords are being hashed, or Identity is away: a repeat is safe
   */
  async execute({ body, origin }: Register): Promise<void> {
    const began = performance.now();
    const { email, password, display_name: displayName } = body;
    await assertGoodPassword(password, [email, displayName ?? '']);
    const passwordHash = await this.hasher.hash(password);
    const userId = newId();
    const registration: Registration = {
      userId,
      email,
      displayName: displayName ?? null,
      passwordHash,
      network: this.networks.current(userId),
    };
    await this.begin(registration, origin);
    await this.completion.finish(registration);
    await this.untilBeat(began);
  }

  @Transactional()
  async begin(registration: Registration, origin: Origin): Promise<void> {
    await this.registrations.insert(registration);
    await this.audit.registering(registration.userId, origin);
  }

  /** An address that is taken costs a few milliseconds less: answers come on a beat, which hides that. */
  private async untilBeat(began: number): Promise<void> {
    const beat = this.config.AUTH_REGISTER_BEAT_MS;
    if (beat > 0) await sleep(beat - ((performance.now() - began) % beat));
  }
}
