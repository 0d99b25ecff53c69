import type { ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { Database } from '@gatehouse/persistence';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { client, entryOf, rowsOf, startAudit } from './audit.service.ts';

describe("with Audit's own credentials", () => {
  let audit: ServiceUnderTest;
  let own: Database;
  beforeAll(async () => {
    audit = await startAudit();
    await client(audit).recordBatch({ entries: [entryOf(), entryOf()] });
    own = await audit.database.open('audit');
  });
  afterAll(() => audit.stop());

  it.each([
    ['change an entry', `UPDATE entries SET action = 'a.b.c'`],
    [
      'change the hash of an entry',
      `UPDATE entries SET leaf_hash = leaf_hash WHERE leaf_index = 0`,
    ],
    ['delete an entry', 'DELETE FROM entries WHERE leaf_index = 1'],
    ['empty the log', 'TRUNCATE entries'],
    ['empty the log with all that hangs on it', 'TRUNCATE entries CASCADE'],
    ['switch triggers off', 'ALTER TABLE entries DISABLE TRIGGER ALL'],
    ['switch triggers off for a session', `SET session_replication_role = 'replica'`],
    [
      'add a trigger',
      'CREATE TRIGGER t BEFORE INSERT ON entries EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    ],
    ['add a rule', 'CREATE RULE r AS ON INSERT TO entries DO INSTEAD NOTHING'],
    ['drop the primary key', 'ALTER TABLE entries DROP CONSTRAINT entries_pkey'],
    ['change the owner', 'ALTER TABLE entries OWNER TO audit_app'],
    ['drop the log', 'DROP TABLE entries'],
    ['drop the schema', 'DROP SCHEMA audit CASCADE'],
    ['become the owner', 'SET ROLE audit_owner'],
    ['become the migrator', 'SET ROLE audit_migrator'],
    ['become the owner for a transaction', 'SET LOCAL ROLE audit_owner'],
    ['lock everybody out', 'DO $$ BEGIN LOCK TABLE entries IN ACCESS EXCLUSIVE MODE; END $$'],
    ['forget that a key was destroyed', 'DELETE FROM subject_keys'],
    ['forget all keys', 'TRUNCATE subject_keys'],
    ['make a table of its own', 'CREATE TABLE audit.other (id int)'],
  ])('nobody can %s', async (_what, sql) => {
    const before = await rowsOf(audit);
    await expect(own.query(sql)).rejects.toMatchObject({ code: '42501' });
    expect(await rowsOf(audit)).toEqual(before);
  });

  it('nobody can grant themselves more', async () => {
    // PostgreSQL answers with a warning, or an error: what counts is that nothing was granted.
    await own
      .query('GRANT UPDATE, DELETE, TRUNCATE ON entries TO audit_app')
      .catch(() => undefined);
    await own.query('GRANT audit_owner TO audit_app').catch(() => undefined);
    await expect(own.query('DELETE FROM entries')).rejects.toMatchObject({ code: '42501' });
    const rights = await own.query<{ may: boolean }>(
      `SELECT has_table_privilege('audit_app', 'audit.entries', 'UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES') AS may`,
    );
    expect(rights).toEqual([{ may: false }]);
  });

  it('entries are read and appended', async () => {
    expect(await own.query('SELECT 1 AS one FROM entries')).toHaveLength(2);
    await client(audit).record({ entry: entryOf() });
    expect(await rowsOf(audit)).toHaveLength(3);
  });

  it('two leaves cannot have one place', async () => {
    await expect(
      own.query(`INSERT INTO entries SELECT leaf_index, gen_random_uuid(), bytes, leaf_hash, occurred_at, recorded_at,
        recorded_by, actor_type, actor_id, action, target_type, target_id, outcome, organization_id
        FROM entries WHERE leaf_index = 0`),
    ).rejects.toMatchObject({ code: '23505' });
  });
});
