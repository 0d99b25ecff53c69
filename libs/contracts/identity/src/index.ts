/**
 * What Identity offers to its callers: gRPC contract and messages, events, error codes.
 *
 * `src/generated` and `schemas` are written by `nx run contracts-identity:generate` from `proto` and `events.ts`: commit what
 * it writes, never edit it; `contract.spec.ts` fails where it is stale.
 */
export * from './contract.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './generated/gatehouse/identity/v1/identity.ts';
