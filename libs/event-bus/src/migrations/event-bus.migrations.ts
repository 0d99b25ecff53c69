import type { Migration } from '@gatehouse/persistence';

/**
 * The bus's tables in a service's own schema.
 *
 * `outbox`: what is committed and not yet sent; deleted once acknowledged. `aggregate_versions`: the last sequence of a
 * key, whose row lock is the order per key. `inbox`: what a consumer has taken in effect. `consumer_keys`: the row that
 * handling, parking, appending and releasing lock; `held` counts the key's rows in `held_events`: while it is not 0 the key
 * is parked. `held_events`: events of parked keys, in order of id: the first is tried again (`pending`) or waits for an
 * operator (`dead`), the others wait behind it; `letter` is the name it has outside. `begun_tries`, and `begun` of a held
 * event: tries that began and whose end was not seen, for their process ended with them.
 */
export const eventBusMigrations: Migration[] = [
  {
    name: 'event-bus-0001-outbox',
    up: `
      CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        channel text NOT NULL,
        partition smallint NOT NULL,
        topic text,
        key text NOT NULL,
        payload text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
      CREATE INDEX outbox_order ON outbox (channel, partition, id);

      CREATE TABLE outbox_leases (
        channel text NOT NULL,
        partition smallint NOT NULL,
        owner text,
        expires_at timestamptz NOT NULL DEFAULT '-infinity',
        PRIMARY KEY (channel, partition)
      ) WITH (fillfactor = 50);

      CREATE TABLE aggregate_versions (
        topic text NOT NULL,
        key text NOT NULL,
        version bigint NOT NULL,
        PRIMARY KEY (topic, key)
      ) WITH (fillfactor = 80);
    `,
  },
  {
    name: 'event-bus-0002-inbox',
    up: `
      CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id text NOT NULL,
        handled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, event_id)
      );
      CREATE INDEX inbox_age ON inbox (handled_at);

      CREATE TABLE consumer_keys (
        consumer text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        held bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
        touched_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, topic, key)
      ) WITH (fillfactor = 80);

      CREATE TABLE held_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        letter uuid NOT NULL UNIQUE,
        consumer text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        event_id text NOT NULL,
        event_type text,
        state text NOT NULL CHECK (state IN ('pending', 'dead')),
        attempts integer NOT NULL,
        due_at timestamptz,
        record jsonb NOT NULL,
        value text NOT NULL,
        reason jsonb,
        held_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        failed_at timestamptz,
        UNIQUE (consumer, event_id)
      );
      CREATE INDEX held_events_order ON held_events (consumer, topic, key, id);
      CREATE INDEX held_events_due ON held_events (due_at) WHERE due_at IS NOT NULL;
      CREATE INDEX held_events_dead ON held_events (letter) WHERE state = 'dead';
    `,
  },
  {
    name: 'event-bus-0003-begun-tries',
    up: `
      CREATE TABLE begun_tries (
        consumer text NOT NULL,
        event_id text NOT NULL,
        tries integer NOT NULL DEFAULT 1,
        begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, event_id)
      ) WITH (fillfactor = 80);

      ALTER TABLE held_events ADD COLUMN begun integer NOT NULL DEFAULT 0;
    `,
  },
];
