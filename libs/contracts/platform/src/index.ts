/**
 * What every service shares: the error base and its registry, the event envelope and the typed event map, the
 * manifest, and the shape of a gRPC contract. It knows no transport and no service.
 */
export * from './errors/common-errors.ts';
export * from './errors/error-kind.ts';
export * from './errors/error-registry.ts';
export * from './errors/platform-error.ts';
export * from './errors/remote-error.ts';
export * from './events/cloud-event.ts';
export * from './events/event-catalogue.ts';
export * from './events/event-type.ts';
export * from './grpc-contract.ts';
export * from './manifest.ts';
export * from './timestamp.ts';
