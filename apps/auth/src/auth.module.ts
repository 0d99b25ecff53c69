import { ClientsModule } from '@gatehouse/clients';
import { authEvents, authV1 } from '@gatehouse/contracts-auth';
import { authzV1 } from '@gatehouse/contracts-authz';
import { identityV1 } from '@gatehouse/contracts-identity';
import { DiscoveryConfig, DiscoveryModule } from '@gatehouse/discovery';
import { EventBusModule, eventBusMigrations } from '@gatehouse/event-bus';
import { EventOperationsModule, GuardsConfig, GuardsModule } from '@gatehouse/guards';
import { KernelModule } from '@gatehouse/kernel';
import { PersistenceModule } from '@gatehouse/persistence';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';

import { AuthController } from './auth.controller.ts';
import { AuthMetrics } from './auth.metrics.ts';
import { AuthRpc } from './auth.rpc.ts';
import { Client } from './clients/client.entity.ts';
import { ClientStore } from './clients/client.store.ts';
import { ClientsController } from './clients/clients.controller.ts';
import { CreateClientHandler } from './clients/commands/create-client.ts';
import { DeleteClientHandler } from './clients/commands/delete-client.ts';
import { RotateClientSecretHandler } from './clients/commands/rotate-client-secret.ts';
import { UpdateClientHandler } from './clients/commands/update-client.ts';
import { GetClientHandler, ListClientsHandler } from './clients/queries/get-clients.ts';
import { ChangePasswordHandler } from './credentials/commands/change-password.ts';
import { CreateCredentialHandler } from './credentials/commands/create-credential.ts';
import { FollowUserHandler } from './credentials/commands/follow-user.ts';
import { CredentialStore } from './credentials/credential.store.ts';
import { GuessThrottle } from './credentials/guess-throttle.ts';
import { KnownNetworks } from './credentials/known-networks.ts';
import { UsersSubscriber } from './credentials/users.subscriber.ts';
import { Housekeeping } from './housekeeping.ts';
import { JwksController } from './keys/jwks.controller.ts';
import { KeyCheckup } from './keys/key-checkup.ts';
import { KeyRing } from './keys/key-ring.ts';
import { KeyRotation } from './keys/key-rotation.ts';
import { KeysModule } from './keys/keys.module.ts';
import { LocalKeySetSource } from './keys/local-key-set.source.ts';
import { GetKeySetHandler, GetSignedKeySetHandler } from './keys/queries/get-key-set.ts';
import { LoginAudit } from './login-audit.ts';
import { authMigrations } from './migrations/auth.migrations.ts';
import { ClientAuthentication } from './oauth/client-authentication.ts';
import { AuthenticateClientHandler } from './oauth/commands/authenticate-client.ts';
import { IssueClientTokenHandler } from './oauth/commands/issue-client-token.ts';
import { OAuthController } from './oauth/oauth.controller.ts';
import { PasswordHasher } from './passwords/password-hasher.ts';
import { RegisterHandler } from './registration/commands/register.ts';
import { RegistrationCompletion } from './registration/registration-completion.ts';
import { RegistrationStore } from './registration/registration.store.ts';
import { RegistrationSweeper } from './registration/registration.sweeper.ts';
import { RevocationChanges } from './revocations/revocation-changes.ts';
import { RevocationFeed } from './revocations/revocation-feed.ts';
import { ServerSecrets } from './server-secrets.ts';
import { EndAllSessionsHandler, EndSessionHandler } from './sessions/commands/end-sessions.ts';
import { LogInHandler } from './sessions/commands/log-in.ts';
import { RefreshSessionHandler } from './sessions/commands/refresh-session.ts';
import { ListSessionsHandler } from './sessions/queries/list-sessions.ts';
import { RefreshTokens } from './sessions/refresh-tokens.ts';
import { SessionEnding } from './sessions/session-ending.ts';
import { SessionOrigins } from './sessions/session-origin.ts';
import { Session } from './sessions/session.entity.ts';
import { SessionStore } from './sessions/session.store.ts';
import { SessionTokens } from './sessions/session.tokens.ts';
import { Sessions } from './sessions/sessions.ts';
import { TokenIssuer } from './tokens/token-issuer.ts';

/** Auth: who is who, and by what they show it. */
@Module({
  imports: [
    KernelModule.forService({ grpc: [authV1] }),
    PersistenceModule.forService({
      entities: [Session, Client],
      migrations: [...eventBusMigrations, ...authMigrations],
    }),
    EventBusModule.forService({ events: [authEvents] }),
    DiscoveryModule.forService(),
    ClientsModule.forFeature([identityV1, authzV1]),
    KeysModule,
    CqrsModule.forRoot(),
    // Its own keys and revocations come from its own tables.
    GuardsModule.forService({
      keySet: LocalKeySetSource,
      revocations: RevocationFeed,
      imports: [KeysModule],
    }),
    EventOperationsModule,
  ],
  controllers: [AuthController, OAuthController, JwksController, ClientsController, AuthRpc],
  providers: [
    GuardsConfig,
    DiscoveryConfig,
    AuthMetrics,
    ServerSecrets,
    LoginAudit,
    Housekeeping,
    // signing keys and tokens
    KeyRotation,
    KeyRing,
    KeyCheckup,
    TokenIssuer,
    GetKeySetHandler,
    GetSignedKeySetHandler,
    // passwords
    PasswordHasher,
    CredentialStore,
    GuessThrottle,
    KnownNetworks,
    UsersSubscriber,
    ChangePasswordHandler,
    CreateCredentialHandler,
    FollowUserHandler,
    // registration
    RegistrationStore,
    RegistrationCompletion,
    RegistrationSweeper,
    RegisterHandler,
    // sessions
    SessionStore,
    Sessions,
    SessionOrigins,
    SessionTokens,
    SessionEnding,
    RefreshTokens,
    LogInHandler,
    RefreshSessionHandler,
    EndSessionHandler,
    EndAllSessionsHandler,
    ListSessionsHandler,
    // service accounts
    ClientStore,
    CreateClientHandler,
    UpdateClientHandler,
    RotateClientSecretHandler,
    DeleteClientHandler,
    GetClientHandler,
    ListClientsHandler,
    ClientAuthentication,
    AuthenticateClientHandler,
    IssueClientTokenHandler,
    // what the edge follows
    RevocationChanges,
    RevocationFeed,
  ],
})
export class AuthModule {}
