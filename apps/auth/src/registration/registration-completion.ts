import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { EmailTaken, identityV1, UserExists } from '@gatehouse/contracts-identity';
import { Transactional } from '@gatehouse/persistence';
import { PlatformError } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';

import { AuthMetrics } from '../auth.metrics.ts';
import { CredentialStore } from '../credentials/credential.store.ts';
import { KnownNetworks } from '../credentials/known-networks.ts';
import { LoginAudit } from '../login-audit.ts';
import { type Registration, RegistrationStore } from './registration.store.ts';

export type RegistrationOutcome = 'completed' | 'taken' | 'refused';

/**
 * Ends a pending registration: asks Identity for the user, then makes the credential or drops the registration. Every
 * step may be done again, by whoever finds it undone: Identity creates a user once by id, and the pending row goes in
 * the transaction that makes the credential.
 */
@Injectable()
export class RegistrationCompletion {
  constructor(
    @InjectClient(identityV1) private readonly identity: ClientOf<typeof identityV1>,
    private readonly registrations: RegistrationStore,
    private readonly credentials: CredentialStore,
    private readonly networks: KnownNetworks,
    private readonly audit: LoginAudit,
    private readonly metrics: AuthMetrics,
  ) {}

  /** @throws what kept Identity from answering: the registration stays pending */
  async finish(registration: Registration): Promise<RegistrationOutcome> {
    const outcome = await this.ask(registration);
    await this.settle(registration, outcome);
    this.metrics.registrations.inc({ result: outcome });
    return outcome;
  }

  private async ask({ userId, email, displayName }: Registration): Promise<RegistrationOutcome> {
    try {
      await this.identity.createUser(
        { userId, email, displayName: displayName ?? '' },
        { as: 'service', deadlineMs: 5000 },
      );
      return 'completed';
    } catch (error) {
      if (error instanceof EmailTaken) return 'taken';
      // The id is ours alone: the user was created by an earlier attempt and has another address by now.
      if (error instanceof UserExists) return 'completed';
      if (error instanceof PlatformError && error.kind === 'invalid-argument') return 'refused';
      throw error;
    }
  }

  @Transactional()
  async settle(
    { userId, passwordHash, network }: Registration,
    outcome: RegistrationOutcome,
  ): Promise<void> {
    if (!(await this.registrations.delete(userId))) return;
    if (outcome !== 'completed') {
      await this.audit.registered(userId, outcome === 'taken' ? EmailTaken.code : 'REFUSED');
      return;
    }
    const credential = await this.credentials.claim(userId);
    // Deleted in Identity meanwhile, or given a password by the provisioner.
    if (credential.deleted || credential.passwordHash !== null) return;
    await this.credentials.setPassword(userId, passwordHash);
    await this.networks.remember(userId, network);
    await this.audit.registered(userId);
  }
}
