import type { Finding } from '@gatehouse/kernel';
import { checksumOf } from './checksum.ts';
import type { Migration, PlatformMigration } from './migration.ts';
import { identifier } from './quote.ts';

/** How far a schema is, beside what a build expects. Names of migrations, in their order. */
export interface SchemaState {
  schema: string;
  applied: number;
  /** Of the build, after the last one of their family that is applied: what `migrate` does. */
  missing: string[];
  /** Of the build, before one of their family that is applied: a record was lost, or a restore ended half way. */
  skipped: string[];
  /** Applied, and not of the build: the schema is ahead, as it is while a newer version is rolled out, or after a rollback. */
  unknown: string[];
  /** Applied with another text than the build's. */
  changed: string[];
  /** There are no records although the schema has tables: something else made it, or a restore ended half way. */
  unrecorded: boolean;
}

type Query = (sql: string, parameters: unknown[]) => Promise<Record<string, unknown>[]>;

/** Reads what is recorded in `<schema>.migrations`; the role of the service may. */
export async function schemaStateOf(
  query: Query,
  schema: string,
  migrations: readonly (Migration | PlatformMigration)[],
): Promise<SchemaState> {
  const table = `${identifier(schema)}.migrations`;
  const [found] = await query(
    `SELECT to_regclass($1) IS NOT NULL AS recorded,
            EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = $2) AS tables`,
    [table, schema],
  );
  const rows =
    found?.recorded === true ? await query(`SELECT name, checksum FROM ${table}`, []) : [];
  const applied = new Map(rows.map(({ name, checksum }) => [name as string, checksum]));
  const names = migrations.map(({ name }) => name);
  const absent = names.flatMap((name, index) => (applied.has(name) ? [] : [{ name, index }]));
  const isSkipped = ({ name, index }: { name: string; index: number }) =>
    names.slice(index).some((later) => familyOf(later) === familyOf(name) && applied.has(later));
  return {
    schema,
    applied: applied.size,
    missing: absent.filter((each) => !isSkipped(each)).map(({ name }) => name),
    skipped: absent.filter(isSkipped).map(({ name }) => name),
    unknown: [...applied.keys()].filter((name) => !names.includes(name)).sort(),
    changed: migrations
      .filter((each) => isChanged(each, applied.get(each.name)))
      .map(({ name }) => name),
    unrecorded: found?.recorded !== true && found?.tables === true,
  };
}

/**
 * Those of a library (`event-bus-0003-begun-tries`), or the service's own (`0001-users`): each is a sequence by itself, and a
 * new version of a library adds to its own in the middle of the whole list.
 */
function familyOf(name: string): string {
  return name.replace(/\d.*$/, '');
}

/** @param command what brings the schema up to date: of a service its `migrate`, of the platform `gatehouse provision` */
export function schemaFindings(state: SchemaState, command: string): Finding[] {
  const { schema, applied, missing, skipped, unknown, changed, unrecorded } = state;
  const findings: Finding[] = [];
  const say = (finding: Finding) => findings.push(finding);
  if (unrecorded) {
    say({
      state: 'problem',
      what: `schema ${schema} has tables and no record of migrations`,
      mend: 'a restore ended half way, or something else made it: restore it whole (docs/backup.md), into an empty database',
    });
  } else if (missing.length > 0) {
    say({
      state: 'problem',
      what: `schema ${schema} lacks ${missing.join(', ')}`,
      mend: `run ${command}; what it reports is why an earlier run ended before these`,
    });
  }
  if (skipped.length > 0) {
    say({
      state: 'problem',
      what: `schema ${schema} has later migrations, and no record of ${skipped.join(', ')}`,
      mend: `it is half restored, or records were removed by hand: do not migrate, restore it whole (docs/backup.md)`,
    });
  }
  if (unknown.length > 0) {
    say({
      state: 'warning',
      what: `schema ${schema} is newer than this build, which does not know ${unknown.join(', ')}`,
      mend: 'well after a rollback and while an upgrade runs; otherwise this is an old build, deploy the new one',
    });
  }
  if (changed.length > 0) {
    say({
      state: 'problem',
      what: `schema ${schema} was made by another text of ${changed.join(', ')} than this build's`,
      mend: 'a released migration was changed: bring its old text back, and put the change into a new one',
    });
  }
  if (findings.length === 0) {
    say({ state: 'ok', what: `schema ${schema} is up to date, ${applied} migrations` });
  }
  return findings;
}

function isChanged(migration: Migration | PlatformMigration, recorded: unknown): boolean {
  const checksum = checksumOf(migration);
  return typeof recorded === 'string' && checksum !== null && recorded !== checksum;
}
