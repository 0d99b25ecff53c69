import type { Finding } from '@gatehouse/kernel';
import { discoveryPlatformSql } from '@gatehouse/discovery';
import { eventBusPlatformSql } from '@gatehouse/event-bus';
import { postgresConnection, schemaFindings, schemaStateOf } from '@gatehouse/persistence';
import pg from 'pg';
import type { enginesOfEnvironment } from '../provision.config.ts';

/** How far schema `platform` is, beside what this `gatehouse` would make. */
export async function examinePlatformSchema({
  adminUrl: url,
  tlsCa,
}: ReturnType<typeof enginesOfEnvironment>): Promise<Finding[]> {
  const client = new pg.Client({
    ...postgresConnection({ url, tlsCa }),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'platform'`);
    if (rows.length === 0) {
      return [{ state: 'unknown', what: 'schemas: nothing is provisioned in this database yet' }];
    }
    const query = async (sql: string, parameters: unknown[]) =>
      (await client.query<Record<string, unknown>>(sql, parameters)).rows;
    const migrations = [...discoveryPlatformSql, ...eventBusPlatformSql];
    const state = await schemaStateOf(query, 'platform', migrations);
    return schemaFindings(state, '`gatehouse provision` (`npm start` does)');
  } finally {
    await client.end();
  }
}
