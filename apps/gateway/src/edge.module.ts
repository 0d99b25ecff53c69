import { Directory, Discovery, ViaTokens } from '@gatehouse/discovery';
import {
  BufferedAuditTrail,
  GrantView,
  OpenApiDocument,
  RateLimitStore,
  RevocationView,
  TokenVerifier,
} from '@gatehouse/guards';
import { Metrics, ServiceInfo, spanMetrics, Tracing } from '@gatehouse/kernel';
import { Global, Logger, Module } from '@nestjs/common';
import { OpenApiDocuments } from './documents/openapi-documents.ts';
import { ownDocument } from './documents/own-document.ts';
import { EdgeLifecycle } from './edge.lifecycle.ts';
import { Forwarder } from './forward/forwarder.ts';
import { Upgrader } from './forward/upgrader.ts';
import type { Exchange } from './front/exchange.ts';
import { GatewayPipeline } from './front/gateway.pipeline.ts';
import { edgePolicies, GatewayConfig } from './gateway.config.ts';
import { ClientAddress } from './request/client-address.ts';
import { ManifestFetcher } from './routing/manifest-fetcher.ts';
import { RouteSync } from './routing/route-sync.ts';
import { buildVersion } from './routing/version-builder.ts';
import { AccessLog } from './telemetry/access-log.ts';
import { DenialTrail } from './telemetry/denial-trail.ts';
import { EdgeSpans } from './telemetry/edge-spans.ts';
import { Refusals } from './telemetry/refusals.ts';
import { RequestMetrics } from './telemetry/request-metrics.ts';
import { requestObserver } from './telemetry/request-observer.ts';
import { Upstreams } from './upstream/upstreams.ts';

/** The parts of the edge: plain classes that know no Nest, put together here once. */
@Global()
@Module({
  providers: [
    GatewayConfig,
    RequestMetrics,
    Refusals,
    EdgeLifecycle,
    {
      provide: ClientAddress,
      useFactory: (config: GatewayConfig) => new ClientAddress(config.GATEWAY_TRUSTED_PROXIES),
      inject: [GatewayConfig],
    },
    {
      provide: Upstreams,
      useFactory: (config: GatewayConfig) =>
        new Upstreams({
          connections: config.GATEWAY_UPSTREAM_CONNECTIONS,
          connectTimeoutMs: config.GATEWAY_CONNECT_TIMEOUT_MS,
        }),
      inject: [GatewayConfig],
    },
    {
      provide: ManifestFetcher,
      useFactory: (via: ViaTokens) => new ManifestFetcher(via),
      inject: [ViaTokens],
    },
    {
      provide: RouteSync,
      useFactory: routeSync,
      inject: [Directory, Discovery, Upstreams, ManifestFetcher, GatewayConfig, RequestMetrics],
    },
    {
      provide: EdgeSpans,
      useFactory: (config: GatewayConfig, tracing: Tracing, metrics: Metrics) => {
        const { dropped } = spanMetrics(metrics);
        return new EdgeSpans(tracing, {
          slowMs: config.GATEWAY_TRACE_SLOW_MS,
          unsampledPerSecond: config.GATEWAY_TRACE_UNSAMPLED_PER_SECOND,
          onLimited: () => dropped.inc({ reason: 'rate_limited' }),
        });
      },
      inject: [GatewayConfig, Tracing, Metrics],
    },
    {
      provide: Forwarder,
      useFactory: (config: GatewayConfig, via: ViaTokens, clients: ClientAddress) =>
        new Forwarder({
          bodyIdleTimeoutMs: config.GATEWAY_BODY_IDLE_TIMEOUT_MS,
          via: (service) => via.issue(service),
          schemeOf: schemeOf(clients),
        }),
      inject: [GatewayConfig, ViaTokens, ClientAddress],
    },
    {
      provide: Upgrader,
      useFactory: (config: GatewayConfig, via: ViaTokens, clients: ClientAddress) =>
        new Upgrader({
          connectTimeoutMs: config.GATEWAY_CONNECT_TIMEOUT_MS,
          via: (service) => via.issue(service),
          schemeOf: schemeOf(clients),
        }),
      inject: [GatewayConfig, ViaTokens, ClientAddress],
    },
    {
      provide: GatewayPipeline,
      useFactory: pipeline,
      inject: [
        GatewayConfig,
        RouteSync,
        TokenVerifier,
        RevocationView,
        GrantView,
        RateLimitStore,
        BufferedAuditTrail,
        Forwarder,
        Upgrader,
        ClientAddress,
        RequestMetrics,
        Refusals,
        EdgeSpans,
      ],
    },
    {
      provide: OpenApiDocuments,
      useFactory: (
        sync: RouteSync,
        fetcher: ManifestFetcher,
        info: ServiceInfo,
        document: OpenApiDocument,
      ) =>
        new OpenApiDocuments({
          own: () => ownDocument(document, info),
          services: () => sync.table.services,
          fetch: (instance) => fetcher.openApi(instance),
          version: info.version,
          onFailure: (service, error) =>
            new Logger('OpenApi').warn({ err: error, upstream: service }, 'document not read'),
        }),
      inject: [RouteSync, ManifestFetcher, ServiceInfo, OpenApiDocument],
    },
  ],
  exports: [GatewayPipeline, RouteSync, Upstreams, OpenApiDocuments],
})
export class EdgeModule {}

function routeSync(
  directory: Directory,
  discovery: Discovery,
  upstreams: Upstreams,
  fetcher: ManifestFetcher,
  config: GatewayConfig,
  metrics: RequestMetrics,
): RouteSync {
  const logger = new Logger('Routes');
  const edge = edgePolicies(config);
  return new RouteSync({
    directory,
    discovery,
    upstreams,
    fetchManifest: (instance) => fetcher.manifest(instance),
    build: (manifest, digest, allotted) => {
      const version = buildVersion(manifest, digest, allotted, edge, (...of) =>
        metrics.seriesOf(...of),
      );
      const served = version.routes.length;
      logger.log({ upstream: allotted.name, digest, routes: served }, 'manifest is served');
      for (const refused of version.refused) logger.warn({ ...refused }, 'route is refused');
      return version;
    },
    onFailure: (failure) => logger.warn({ ...failure }, 'manifest cannot be had'),
  });
}

function pipeline(
  config: GatewayConfig,
  sync: RouteSync,
  tokens: TokenVerifier,
  revocations: RevocationView,
  grants: GrantView,
  limits: RateLimitStore,
  trail: BufferedAuditTrail,
  forwarder: Forwarder,
  upgrader: Upgrader,
  clients: ClientAddress,
  metrics: RequestMetrics,
  refusals: Refusals,
  spans: EdgeSpans,
): GatewayPipeline {
  const log = new AccessLog(new Logger('Access'), {
    sample: config.GATEWAY_ACCESS_LOG_SAMPLE,
    slowMs: config.GATEWAY_TRACE_SLOW_MS,
    othersPerSecond: config.GATEWAY_TRACE_UNSAMPLED_PER_SECOND,
  });
  return new GatewayPipeline({
    table: () => sync.table,
    tokens,
    revocations,
    grants,
    limits,
    denials: new DenialTrail(trail),
    forwarder,
    upgrader,
    clients,
    edge: edgePolicies(config),
    cors: { origins: config.CORS_ORIGINS, maxAgeSeconds: config.CORS_MAX_AGE_SECONDS },
    maxInFlight: config.GATEWAY_MAX_IN_FLIGHT,
    spans,
    onDone: requestObserver(metrics, refusals, log, spans),
  });
}

/** The gateway itself speaks plain HTTP; a trusted proxy before it may have taken TLS off. */
function schemeOf(clients: ClientAddress): (exchange: Exchange) => string {
  return ({ head, request }) =>
    head.forwardedProto === 'https' && clients.isBehindTrustedProxy(request.socket)
      ? 'https'
      : 'http';
}
