import type { Migration } from '@gatehouse/persistence';

/** The schema of Identity. Steps are added, never changed once released. */
export const identityMigrations: Migration[] = [
  {
    name: '0001-users',
    up: `
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        email text NOT NULL CHECK (email = lower(email)),
        display_name text NOT NULL,
        status text NOT NULL CHECK (status IN ('active', 'deactivated')),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL
      );
      CREATE UNIQUE INDEX users_email ON users (email);
      CREATE INDEX users_email_prefix ON users (email text_pattern_ops);
      CREATE INDEX users_name_prefix ON users (lower(display_name) text_pattern_ops);
    `,
  },
];
