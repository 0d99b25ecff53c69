import type { Migration } from './migration.ts';

/** What the library itself keeps in each service's schema. */
export const persistenceMigrations: Migration[] = [
  {
    name: 'persistence-0001-idempotency-keys',
    up: `
      CREATE TABLE idempotency_keys (
        principal text NOT NULL,
        route text NOT NULL,
        key text NOT NULL,
        request_hash bytea NOT NULL,
        -- null until the transaction that claimed the key commits, so never seen by another
        answer bytea,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (principal, route, key)
      );
      CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
    `,
  },
  {
    name: 'persistence-0002-change-feed',
    up: `
      -- One row: its lock is held from the last statement of a transaction to its COMMIT, so that numbers
      -- become visible in their order.
      CREATE TABLE change_counter (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        number bigint NOT NULL
      ) WITH (fillfactor = 10);
      INSERT INTO change_counter (number) VALUES (0);

      -- The latest state of each item, and the number of the change that made it so.
      CREATE TABLE change_feed (
        kind text NOT NULL,
        id text NOT NULL,
        number bigint NOT NULL,
        state jsonb NOT NULL,
        expires_at timestamptz,
        PRIMARY KEY (kind, id)
      );
      CREATE UNIQUE INDEX change_feed_number ON change_feed (number);
      CREATE INDEX change_feed_expires_at ON change_feed (expires_at) WHERE expires_at IS NOT NULL;
    `,
  },
];
