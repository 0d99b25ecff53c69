import type { TestPlatform } from '@gatehouse/testing-platform';

/**
 * What any request may leave behind: the log, what waits for it, what was answered, and what was counted. Everything
 * else is business, also in services that do not exist yet.
 */
const BOOKKEEPING =
  /^(audit\..*|platform\..*|.*\.(outbox|inbox|aggregate_versions|parked_keys|dead_letters|idempotency_keys|guesses|migrations))$/;

export interface TableState {
  rows: number;
  /** The sum of the rows' versions, which every change of one raises; null where they have none. */
  versions: number | null;
}

/** `identity.users` and every other table of every service, by name. */
export async function businessRows(platform: TestPlatform): Promise<Record<string, TableState>> {
  const query = platform.database('public');
  const tables = await query<{ name: string; versioned: boolean }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name, EXISTS (
       SELECT FROM information_schema.columns c WHERE c.table_schema = t.table_schema
         AND c.table_name = t.table_name AND column_name = 'version' AND data_type LIKE '%int%'
     ) AS versioned
     FROM information_schema.tables t
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
     ORDER BY 1`,
  );
  const states = await Promise.all(
    tables
      .filter(({ name }) => !BOOKKEEPING.test(name))
      .map(async ({ name, versioned }) => {
        const versions = versioned ? 'coalesce(sum(version), 0)::int' : 'null';
        const [state] = await query<TableState>(
          `SELECT count(*)::int AS rows, ${versions} AS versions FROM ${name}`,
        );
        return [name, state] as const;
      }),
  );
  return Object.fromEntries(states) as Record<string, TableState>;
}
