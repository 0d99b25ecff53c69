import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { AccountDisabled, CredentialChanged, InvalidCredentials } from '@gatehouse/contracts-auth';
import { authzV1 } from '@gatehouse/contracts-authz';
import { identityV1, type User, UserStatus } from '@gatehouse/contracts-identity';
import { PermissionDenied, PlatformError } from '@gatehouse/contracts-platform';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { newId } from '@gatehouse/kernel';
import { Database, Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { AuthMetrics } from '../../auth.metrics.ts';
import type { LogInBody, TokensView } from '../../auth.schemas.ts';
import { type Credential, CredentialStore } from '../../credentials/credential.store.ts';
import { type GuessSubject, GuessThrottle } from '../../credentials/guess-throttle.ts';
import { KnownNetworks } from '../../credentials/known-networks.ts';
import { LoginAudit } from '../../login-audit.ts';
import { PasswordHasher } from '../../passwords/password-hasher.ts';
import { ServerSecrets } from '../../server-secrets.ts';
import type { RefreshToken } from '../refresh-tokens.ts';
import type { Origin } from '../session-origin.ts';
import type { Session } from '../session.entity.ts';
import { SessionTokens } from '../session.tokens.ts';
import { Sessions } from '../sessions.ts';

export class LogIn extends Command<TokensView> {
  constructor(
    readonly body: LogInBody,
    readonly origin: Origin,
  ) {
    super();
  }
}

/** Nobody has it: asked for where an address has no user, so that both cases ask the same. */
const NOBODY = '00000000-0000-7000-8000-000000000000';

@CommandHandler(LogIn)
export class LogInHandler implements ICommandHandler<LogIn> {
  constructor(
    @InjectClient(identityV1) private readonly identity: ClientOf<typeof identityV1>,
    @InjectClient(authzV1) private readonly authz: ClientOf<typeof authzV1>,
    private readonly credentials: CredentialStore,
    private readonly networks: KnownNetworks,
    private readonly throttle: GuessThrottle,
    private readonly hasher: PasswordHasher,
    private readonly sessions: Sessions,
    private readonly tokens: SessionTokens,
    private readonly secrets: ServerSecrets,
    private readonly events: IntegrationEvents,
    private readonly audit: LoginAudit,
    private readonly metrics: AuthMetrics,
    private readonly database: Database,
  ) {}

  /**
   * An address that nobody has takes the same way as one with a wrong password: the same statements, one hash, the same
   * records, the same answer.
   * @throws InvalidCredentials
   * @throws AccountDisabled to whoever knows the password
   * @throws RateLimited where this account was guessed at too often
   * @throws ServiceUnavailable where too many passwords are being checked, or Identity is away
   */
  async execute({ body, origin }: LogIn): Promise<TokensView> {
    const { user } = await this.identity.findByEmail({ email: body.email }, { as: 'service' });
    const credential = await this.checkPassword(body, user ?? undefined, origin);
    if (user?.status !== UserStatus.USER_STATUS_ACTIVE || credential.disabled)
      throw await this.refuse(credential.userId, new AccountDisabled(), origin);
    if (body.organization_id !== undefined)
      await this.assertMayChoose(credential.userId, body.organization_id);

    const { session, refreshToken } = await this.start(credential, body, origin).catch(
      async (error: unknown) => {
        // Changed between the check and the session: the password that was right is so no more.
        if (!(error instanceof CredentialChanged)) throw error;
        throw await this.refuse(credential.userId, new InvalidCredentials(), origin);
      },
    );
    this.metrics.logins.inc({ result: 'success' });
    await this.keepHashStrong(credential, body.password);
    return this.tokens.view(session, refreshToken, 'password');
  }

  private async checkPassword(
    { email, password }: LogInBody,
    user: User | undefined,
    origin: Origin,
  ): Promise<Credential & { passwordHash: string }> {
    const id = user?.id ?? NOBODY;
    const credential = await this.credentials.find(id);
    const known = await this.networks.isKnown(id, this.networks.current(id));
    const subject = user === undefined ? this.addressSubject(email) : subjectOf(user.id);
    const right = await this.hasher.verify(password, credential?.passwordHash ?? undefined, () =>
      this.throttle.take(subject, known ? 'known' : 'stranger').catch((error: unknown) => {
        this.metrics.logins.inc({ result: 'throttled' });
        throw error;
      }),
    );
    if (!right || credential === undefined || credential.passwordHash === null)
      throw await this.refuse(user?.id, new InvalidCredentials(), origin);
    return { ...credential, passwordHash: credential.passwordHash };
  }

  private addressSubject(email: string): GuessSubject {
    return `address:${this.secrets.hmac('address guessed at', email).toString('base64url')}`;
  }

  /** A session and all that is said of it, at once or not at all. */
  @Transactional()
  async start(
    credential: Credential,
    body: LogInBody,
    origin: Origin,
  ): Promise<{ session: Session; refreshToken: RefreshToken }> {
    const { userId } = credential;
    const started = await this.sessions.start(credential, origin, body.organization_id);
    await this.throttle.reset(subjectOf(userId));
    await this.networks.remember(userId, this.networks.current(userId));
    this.events.publish('auth.login.succeeded.v1', {
      key: userId,
      data: { user_id: userId, session_id: started.session.id },
    });
    await this.audit.loggedIn(userId, started.session.id, origin);
    return started;
  }

  private async refuse(
    userId: string | undefined,
    error: PlatformError,
    origin: Origin,
  ): Promise<PlatformError> {
    const reason = error.code.toLowerCase();
    await this.database.transaction(async () => {
      this.events.publish('auth.login.failed.v1', {
        key: userId ?? newId(),
        data: { ...(userId !== undefined && { user_id: userId }), reason },
      });
      await this.audit.refused(userId, error.code, origin);
    });
    this.metrics.logins.inc({ result: reason });
    return error;
  }

  /** Whoever holds something in the organization, or on the platform as a whole. */
  private async assertMayChoose(userId: string, organizationId: string): Promise<void> {
    const { grants } = await this.authz.listGrants({ subjectId: userId }, { as: 'service' });
    const scopes = new Set((grants?.bindings ?? []).map(({ scope }) => scope));
    if (!scopes.has('platform') && !scopes.has(`organization:${organizationId}`))
      throw new PermissionDenied('You are not a member of this organization.');
  }

  private async keepHashStrong(
    { userId, passwordHash }: { userId: string; passwordHash: string },
    password: string,
  ): Promise<void> {
    if (!this.hasher.isOutdated(passwordHash)) return;
    // The login stands; a busy hasher is asked again at the next one.
    const stronger = await this.hasher.hash(password).catch(() => undefined);
    if (stronger !== undefined) await this.credentials.rehash(userId, passwordHash, stronger);
  }
}

export function subjectOf(userId: string): GuessSubject {
  return `user:${userId}`;
}
