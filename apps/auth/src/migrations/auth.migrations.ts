import type { Migration } from '@gatehouse/persistence';

/** The schema of Auth. Steps are added, never changed once released. */
export const authMigrations: Migration[] = [
  {
    name: '0001-signing-keys',
    up: `
      CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        algorithm text NOT NULL CHECK (algorithm IN ('RS256', 'ES256')),
        public_jwk jsonb NOT NULL,
        sealed_private_key bytea NOT NULL,
        created_at timestamptz(3) NOT NULL,
        -- It signs from here until the next key's signs_from; both are published before and after.
        signs_from timestamptz(3) NOT NULL UNIQUE
      );
    `,
  },
  {
    name: '0002-credentials',
    up: `
      -- One row a user, locked by whoever starts a session (FOR SHARE) or ends them all (FOR UPDATE).
      -- A user that Identity deleted leaves a row without a hash, so that nothing that comes late brings it back.
      CREATE TABLE credentials (
        user_id uuid PRIMARY KEY,
        password_hash text,
        version integer NOT NULL DEFAULT 1,
        disabled boolean NOT NULL DEFAULT false,
        deleted boolean NOT NULL DEFAULT false,
        created_at timestamptz(3) NOT NULL,
        changed_at timestamptz(3) NOT NULL,
        CHECK (NOT deleted OR password_hash IS NULL)
      );

      CREATE TABLE guesses (
        subject text NOT NULL,
        class text NOT NULL CHECK (class IN ('stranger', 'known')),
        failures integer NOT NULL,
        next_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (subject, class)
      );
      CREATE INDEX guesses_updated ON guesses (updated_at);

      -- Networks a user has logged in from, as keyed hashes.
      CREATE TABLE known_networks (
        user_id uuid NOT NULL,
        network bytea NOT NULL,
        last_seen_at timestamptz(3) NOT NULL,
        PRIMARY KEY (user_id, network)
      );
      CREATE INDEX known_networks_seen ON known_networks (last_seen_at);

      -- Pending alone: a row goes when Identity has answered.
      CREATE TABLE registrations (
        user_id uuid PRIMARY KEY,
        email text NOT NULL,
        display_name text,
        password_hash text NOT NULL,
        network bytea NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz(3) NOT NULL,
        created_at timestamptz(3) NOT NULL
      );
      CREATE INDEX registrations_due ON registrations (next_attempt_at);
    `,
  },
  {
    name: '0003-sessions',
    up: `
      CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        client_id text NOT NULL,
        organization_id uuid,
        -- Address and user agent: personal, sealed.
        sealed_origin bytea NOT NULL,
        generation integer NOT NULL,
        refresh_hash bytea NOT NULL,
        -- When the latest generations were used, newest last; those outside the window are dropped.
        rotated_at timestamptz(3)[] NOT NULL DEFAULT '{}',
        created_at timestamptz(3) NOT NULL,
        last_used_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        revoked_at timestamptz(3),
        revoke_reason text
      );
      CREATE INDEX sessions_user ON sessions (user_id, id) WHERE revoked_at IS NULL;
      CREATE INDEX sessions_expired ON sessions (expires_at);
    `,
  },
  {
    name: '0004-clients',
    up: `
      CREATE TABLE clients (
        id uuid PRIMARY KEY,
        organization_id uuid,
        name text NOT NULL,
        description text NOT NULL,
        secret_hash bytea NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        secret_changed_at timestamptz(3) NOT NULL
      );
      CREATE UNIQUE INDEX clients_name ON clients (lower(name));
    `,
  },
];
