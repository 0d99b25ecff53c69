import { RedisModule } from '@gatehouse/cache/redis';
import { ClientsModule } from '@gatehouse/clients';
import { auditV1 } from '@gatehouse/contracts-audit';
import { authV1 } from '@gatehouse/contracts-auth';
import { authzV1 } from '@gatehouse/contracts-authz';
import type { PermissionDeclaration } from '@gatehouse/contracts-platform';
import {
  type DynamicModule,
  Logger,
  Module,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, DiscoveryModule as NestDiscoveryModule } from '@nestjs/core';

import { AccessCheck } from './access/access-check.ts';
import { AccessGuard } from './access/access.guard.ts';
import { AuthenticationStage } from './access/authentication.stage.ts';
import { AuthorizationStage } from './access/authorization.stage.ts';
import { Endpoints } from './access/endpoints.ts';
import { RateLimitStage } from './access/rate-limit.stage.ts';
import { RouteRulesReader } from './access/route-rules.ts';
import { ViaStage } from './access/via.stage.ts';
import { AuditClient } from './audit/audit-client.ts';
import { AuditInterceptor } from './audit/audit.interceptor.ts';
import { DenialRecorder } from './audit/denial-recorder.ts';
import { GrpcKeySetSource } from './authentication/grpc-key-set.source.ts';
import { GrpcRevocationSource } from './authentication/grpc-revocation.source.ts';
import { JwtAuthenticator } from './authentication/jwt-authenticator.ts';
import { KeySetSource } from './authentication/key-set.source.ts';
import { KeySet } from './authentication/key-set.ts';
import { RevocationView } from './authentication/revocation-view.ts';
import { RevocationSource } from './authentication/revocation.source.ts';
import { TokenVerifier } from './authentication/token-verifier.ts';
import { GrantView } from './authorization/grant-view.ts';
import { GrantSource } from './authorization/grant.source.ts';
import { GrpcGrantSource } from './authorization/grpc-grant.source.ts';
import { FollowedViews } from './following/followed-views.ts';
import { GuardsConfig } from './guards.config.ts';
import { LogLevelModule } from './log-level/log-level.module.ts';
import { GrpcPermissionSink } from './manifest/grpc-permission.sink.ts';
import { FURTHER_PERMISSIONS, ManifestBuilder } from './manifest/manifest-builder.ts';
import { ManifestPublication } from './manifest/manifest-publication.ts';
import { OpenApiDocument } from './manifest/openapi-document.ts';
import { PermissionSink } from './manifest/permission-sink.ts';
import { WellKnownController } from './manifest/well-known.controller.ts';
import { DecisionMetrics } from './metrics/decision-metrics.ts';
import { GuardMetrics } from './metrics/guard-metrics.ts';
import { rateLimitStoreProvider } from './rate-limits/rate-limit-store.provider.ts';
import { RateLimitStore } from './rate-limits/rate-limit-store.ts';

export interface GuardsOptions {
  /** Where keys come from; default: Auth over gRPC. Auth itself reads its own tables. */
  keySet?: Type<KeySetSource>;
  revocations?: Type<RevocationSource>;
  /** Where roles and bindings come from; default: Authz over gRPC. Authz itself reads its own tables. */
  grants?: Type<GrantSource>;
  permissionSink?: Type<PermissionSink>;
  /** What the classes above inject. */
  imports?: ModuleMetadata['imports'];
  /** Permissions that no route names but the service's code asks for. */
  permissions?: readonly PermissionDeclaration[];
  /** `outbox` (default) needs persistence and the event bus; `buffered` is for a process without a schema. */
  audit?: 'outbox' | 'buffered';
}

/** What the service's own code may inject. */
const OPEN = [
  KeySet,
  RevocationView,
  GrantView,
  TokenVerifier,
  RateLimitStore,
  ManifestPublication,
  OpenApiDocument,
  Endpoints,
];

/**
 * The access rules of a process: imported once, in the service's module, after `KernelModule`, `DiscoveryModule` and,
 * with the outbox, `PersistenceModule` and `EventBusModule`.
 */
@Module({})
export class GuardsModule {
  static async forService(options: GuardsOptions = {}): Promise<DynamicModule> {
    const audit = await auditOf(options);
    return {
      module: GuardsModule,
      global: true,
      imports: [
        NestDiscoveryModule,
        RedisModule,
        ClientsModule.forFeature([authV1, authzV1, auditV1]),
        LogLevelModule,
        ...(options.imports ?? []),
      ],
      controllers: [WellKnownController],
      providers: [
        GuardsConfig,
        GuardMetrics,
        DecisionMetrics,
        { provide: KeySetSource, useClass: options.keySet ?? GrpcKeySetSource },
        { provide: RevocationSource, useClass: options.revocations ?? GrpcRevocationSource },
        { provide: GrantSource, useClass: options.grants ?? GrpcGrantSource },
        { provide: PermissionSink, useClass: options.permissionSink ?? GrpcPermissionSink },
        { provide: FURTHER_PERMISSIONS, useValue: options.permissions ?? [] },
        ...views,
        rateLimitStoreProvider,
        FollowedViews,
        RouteRulesReader,
        Endpoints,
        AccessCheck,
        ManifestBuilder,
        ManifestPublication,
        OpenApiDocument,
        ViaStage,
        AuthenticationStage,
        AuthorizationStage,
        RateLimitStage,
        AuditClient,
        DenialRecorder,
        ...audit.providers,
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_INTERCEPTOR, useClass: AuditInterceptor },
      ],
      exports: [...OPEN, ...audit.exports],
    };
  }
}

const expectations = (config: GuardsConfig) => ({
  issuer: config.AUTH_ISSUER,
  audience: config.AUTH_AUDIENCE,
  skewSeconds: config.TOKEN_CLOCK_SKEW_SECONDS,
});

/** Told once a minute at most: a peer that is away is no news each second. */
function warning(message: string): (error: unknown) => void {
  const logger = new Logger('Guards');
  let last = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (performance.now() - last < 60_000) return;
    last = performance.now();
    logger.warn({ err: error }, message);
  };
}

const views: Provider[] = [
  {
    provide: KeySet,
    useFactory: (source: KeySetSource, config: GuardsConfig) =>
      new KeySet(source, {
        refreshIntervalMs: config.KEY_SET_REFRESH_SECONDS * 1000,
        onError: warning('the signing keys could not be read'),
      }),
    inject: [KeySetSource, GuardsConfig],
  },
  {
    provide: RevocationView,
    useFactory: (source: RevocationSource, config: GuardsConfig) =>
      new RevocationView(source, {
        maxStalenessMs: config.REVOCATIONS_MAX_STALENESS_SECONDS * 1000,
        onError: warning('the stream of revocations ended; following another'),
      }),
    inject: [RevocationSource, GuardsConfig],
  },
  {
    provide: GrantView,
    useFactory: (source: GrantSource, config: GuardsConfig) =>
      new GrantView(source, {
        maxStalenessMs: config.GRANTS_MAX_STALENESS_SECONDS * 1000,
        maxSubjects: config.GRANTS_MAX_SUBJECTS,
        onError: warning('the stream of grants ended; following another'),
      }),
    inject: [GrantSource, GuardsConfig],
  },
  {
    provide: TokenVerifier,
    useFactory: (keys: KeySet, config: GuardsConfig) =>
      new TokenVerifier(keys, { ...expectations(config), cacheSize: config.TOKEN_CACHE_SIZE }),
    inject: [KeySet, GuardsConfig],
  },
  {
    provide: JwtAuthenticator,
    useFactory: (keys: KeySet, revocations: RevocationView, config: GuardsConfig) =>
      new JwtAuthenticator(keys, revocations, expectations(config)),
    inject: [KeySet, RevocationView, GuardsConfig],
  },
];

/** Loaded on demand: a process without a schema pays for no database library. */
async function auditOf({
  audit,
}: GuardsOptions): Promise<Required<Pick<DynamicModule, 'providers' | 'exports'>>> {
  if (audit === 'buffered')
    return (await import('./audit/buffered-audit.providers.ts')).bufferedAudit;
  return (await import('./audit/outbox-audit.providers.ts')).outboxAudit;
}
