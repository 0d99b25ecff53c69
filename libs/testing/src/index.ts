export { describeWithEngine, type Engine } from './describe-with-engine.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { freePort } from './free-port.ts';
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
