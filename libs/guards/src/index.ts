/** The access decorators of a route and what enforces them. */
export * from './authentication/key-set.source.ts';
export * from './authentication/key-set.ts';
export * from './authentication/revocation-view.ts';
export * from './authentication/revocation.source.ts';
export * from './authentication/signed-key-set.ts';
export {
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
  type TokenExpectations,
} from './authentication/token-rules.ts';
export * from './authentication/token-verifier.ts';
export * from './authentication/verified-token.ts';
export * from './authorization/decision.ts';
export * from './authorization/grant-view.ts';
export * from './authorization/grant.source.ts';
export * from './authorization/scope.ts';
export { fromSource } from './following/from-source.ts';
export * from './following/signal.ts';
export * from './decorators/access.decorators.ts';
export * from './decorators/audited.decorator.ts';
export * from './decorators/current-principal.decorator.ts';
export * from './decorators/rate-limit.decorator.ts';
export * from './decorators/route-options.decorator.ts';
export * from './rate-limits/client-address.ts';
export * from './rate-limits/duration.ts';
export * from './rate-limits/memory-rate-limit.store.ts';
export * from './rate-limits/rate-limit-fields.ts';
export * from './rate-limits/rate-limit-store.ts';
export { REVOKED } from './authentication/jwt-authenticator.ts';
export { AccessNotDeclared } from './access/access-check.ts';
export { GATEWAY } from './access/via.stage.ts';
export * from './audit/audit-entry.ts';
export * from './audit/audit-trail.ts';
export * from './audit/buffered-audit-trail.ts';
export * from './guards.config.ts';
export * from './guards.module.ts';
export { ManifestPublication } from './manifest/manifest-publication.ts';
export { OpenApiDocument } from './manifest/openapi-document.ts';
export * from './manifest/permission-sink.ts';
export { EventOperationsModule } from './event-operations/event-operations.module.ts';
