/** Contract suites of the ports here, and stand-ins for Auth and Authz in tests. */
export * from './fake-sources.ts';
export * from './rate-limit-store.contract.ts';
export * from './redis-limits.ts';
export * from './test-issuer.ts';
export * from './token-attacks.ts';
