import type { Migration } from '@gatehouse/persistence';

/** The schema of Audit. Steps are added, never changed once released. */
export const auditMigrations: Migration[] = [
  {
    name: '0001-entries',
    up: `
      -- The log. Whoever appends draws the next leaf index: the primary key refuses a second leaf in its place.
      CREATE TABLE entries (
        leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
        id uuid NOT NULL UNIQUE,
        -- The canonical JSON (RFC 8785) that is hashed; everything else is there to be searched.
        bytes bytea NOT NULL,
        -- SHA-256(0x00 || bytes), RFC 9162, 2.1.1
        leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
        occurred_at timestamptz(3) NOT NULL,
        recorded_at timestamptz(3) NOT NULL,
        recorded_by text NOT NULL,
        actor_type text NOT NULL,
        actor_id text NOT NULL,
        action text NOT NULL,
        target_type text NOT NULL,
        target_id text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
        organization_id uuid
      );
      CREATE INDEX entries_actor ON entries (actor_id, leaf_index DESC);
      CREATE INDEX entries_target ON entries (target_id, leaf_index DESC);
      CREATE INDEX entries_action ON entries (action, leaf_index DESC);
      CREATE INDEX entries_organization ON entries (organization_id, leaf_index DESC);
      CREATE INDEX entries_occurred ON entries (occurred_at);

      -- The service that appends cannot take back. (It does not own the table, so it cannot grant itself more either.)
      REVOKE UPDATE, DELETE, TRUNCATE ON entries FROM audit_app;
    `,
  },
  {
    name: '0002-subject-keys',
    up: `
      -- One key a person: to erase what the log says of somebody is to destroy it.
      CREATE TABLE subject_keys (
        subject_id uuid PRIMARY KEY,
        sealed_key bytea,
        created_at timestamptz(3) NOT NULL,
        destroyed_at timestamptz(3),
        CHECK ((sealed_key IS NULL) = (destroyed_at IS NOT NULL))
      );

      -- The row of a destroyed key stays, or the next entry about the person would make another one.
      REVOKE DELETE, TRUNCATE ON subject_keys FROM audit_app;
    `,
  },
  // What is hashed holds it already; it is taken out to be searched for. In three steps, each a transaction of its own: while
  // the log is read through, instances of the version before go on appending, and only while the index is built do they wait.
  // What those append is not found by its trace.
  {
    name: '0003-trace-id',
    up: `ALTER TABLE entries ADD COLUMN trace_id text NOT NULL DEFAULT '';`,
  },
  {
    name: '0004-trace-id-of-earlier',
    up: `
      UPDATE entries SET trace_id = coalesce(convert_from(bytes, 'UTF8')::json ->> 'trace_id', '')
      WHERE trace_id = '';
    `,
  },
  {
    name: '0005-entries-trace',
    up: `CREATE INDEX entries_trace ON entries (trace_id, leaf_index DESC);`,
  },
];
