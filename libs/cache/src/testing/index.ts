export * from './cache-store.suite.ts';
