import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import { type PostgresAddress, postgresConnection } from '../connection/postgres-address.ts';

export type EntityClass = abstract new (...args: never[]) => object;

/** The address is that of the service's own role. */
export interface DatabaseOptions extends PostgresAddress {
  /** The service's schema; entities live there unless they say otherwise. */
  schema: string;
  entities?: readonly EntityClass[];
  poolSize: number;
  /** How long a statement waits for a free connection, in milliseconds. */
  poolTimeoutMs: number;
  /** Longest run of one statement, in milliseconds; 0 is without end. */
  statementTimeoutMs?: number;
  applicationName?: string;
}

const INT8 = 20;
const parserOf = pg.types.getTypeParser as (oid: number, format?: string) => unknown;

/** `bigint` fits a number up to 2^53: counters and versions do. Other types as pg reads them. */
const types = {
  getTypeParser: (oid: number, format?: string): unknown =>
    oid === INT8 && format !== 'binary' ? Number : parserOf(oid, format),
};

/** TypeORM's options; nothing is ever created or altered by it: that is for migrations. */
export function sourceOptions(options: DatabaseOptions): DataSourceOptions {
  const { connectionString, ssl } = postgresConnection(options);
  return {
    type: 'postgres',
    url: connectionString,
    ssl,
    schema: options.schema,
    entities: [...(options.entities ?? [])],
    synchronize: false,
    migrationsRun: false,
    logging: false,
    installExtensions: false,
    uuidExtension: 'pgcrypto',
    poolSize: options.poolSize,
    connectTimeoutMS: options.poolTimeoutMs,
    applicationName: options.applicationName ?? `gatehouse-${options.schema}`,
    poolErrorHandler: () => undefined, // an idle connection broke: the pool has dropped it already
    extra: {
      types,
      statement_timeout: options.statementTimeoutMs ?? 60_000,
      // a transaction left open by a mistake gives its locks back
      idle_in_transaction_session_timeout: 120_000,
      keepAlive: true,
      idleTimeoutMillis: 30_000,
    },
  };
}
