export { describeWithEngines } from './engines/describe-with-engines.ts';
export { describeWithPrograms } from './engines/describe-with-programs.ts';
export {
  engineSet,
  EngineSet,
  type EngineSetOptions,
  ENGINES_START_MS,
  installEngines,
} from './engines/engine-set.ts';
export { type Engine, enginesBin } from './engines/engines-bin.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { freePort } from './free-port.ts';
export {
  blocksOf,
  missingFrom,
  type PageBlock,
  runBlocks,
  type RunBlocksOptions,
} from './pages/page-blocks.ts';
export { PackageRegistry } from './registry/package-registry.ts';
export { requireTls } from './postgres/require-tls.ts';
export { postgresServer, type PostgresServer } from './postgres/postgres-server.ts';
export {
  temporaryDatabase,
  type TemporaryDatabase,
  type TemporaryDatabaseOptions,
} from './postgres/temporary-database.ts';
export {
  startProcess,
  type ChildProcessHandle,
  type StartProcessOptions,
} from './start-process.ts';
export { TestAuthority, type TestCertificate } from './tls/test-authority.ts';
