import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { CredentialExists } from '@gatehouse/contracts-auth';
import { identityV1, UserNotFound } from '@gatehouse/contracts-identity';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { PasswordHasher } from '../../passwords/password-hasher.ts';
import { assertGoodPassword } from '../../passwords/password-rules.ts';
import { CredentialStore } from '../credential.store.ts';

/** A password for a user that Identity knows. Idempotent: with the same password it has no effect. */
export class CreateCredential extends Command<void> {
  constructor(
    readonly userId: string,
    readonly password: string,
  ) {
    super();
  }
}

@CommandHandler(CreateCredential)
export class CreateCredentialHandler implements ICommandHandler<CreateCredential> {
  constructor(
    @InjectClient(identityV1) private readonly identity: ClientOf<typeof identityV1>,
    private readonly credentials: CredentialStore,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * @throws UserNotFound
   * @throws CredentialExists where the user has another password: an account that somebody else made is never adopted
   */
  async execute({ userId, password }: CreateCredential): Promise<void> {
    await this.identity.getUser({ userId }, { as: 'service' });
    const known = await this.credentials.find(userId);
    if (known !== undefined && known.passwordHash !== null)
      return this.assertSame(password, known.passwordHash);
    await assertGoodPassword(password, []);
    const passwordHash = await this.hasher.hash(password);
    const before = await this.store(userId, passwordHash);
    if (before !== null) await this.assertSame(password, before);
  }

  /** @returns the hash that is there already, which stays, or null */
  @Transactional()
  async store(userId: string, passwordHash: string): Promise<string | null> {
    const credential = await this.credentials.claim(userId);
    if (credential.deleted) throw new UserNotFound();
    if (credential.passwordHash !== null) return credential.passwordHash;
    await this.credentials.setPassword(userId, passwordHash);
    return null;
  }

  private async assertSame(password: string, hash: string): Promise<void> {
    if (!(await this.hasher.verify(password, hash))) throw new CredentialExists();
  }
}
