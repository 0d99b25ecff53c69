import type { Migration } from '@gatehouse/persistence';

/** Known by id everywhere, so that a follower and a test can name them. */
export const PLATFORM_ADMIN_ID = '00000000-0000-7000-8000-000000000001';
export const MEMBER_ID = '00000000-0000-7000-8000-000000000002';
export const BUILT_IN_ROLES: readonly string[] = ['platform-admin', 'member'];

/** The schema of Authz. Steps are added, never changed once released. */
export const authzMigrations: Migration[] = [
  {
    name: '0001-catalogue',
    up: `
      CREATE TABLE permissions (
        name text PRIMARY KEY,
        service text NOT NULL,
        description text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('platform', 'organization')),
        stale boolean NOT NULL DEFAULT false,
        updated_at timestamptz(3) NOT NULL
      );
      CREATE INDEX permissions_service ON permissions (service);

      -- What each version of a service declares: a permission is stale when no live version does.
      CREATE TABLE declarations (
        service text NOT NULL,
        manifest_digest text NOT NULL,
        permissions text[] NOT NULL,
        registered_at timestamptz(3) NOT NULL,
        PRIMARY KEY (service, manifest_digest)
      );
    `,
  },
  {
    name: '0002-roles',
    up: `
      CREATE TABLE roles (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        description text NOT NULL,
        organization_id uuid,
        permissions text[] NOT NULL,
        all_permissions boolean NOT NULL DEFAULT false,
        implicit boolean NOT NULL DEFAULT false,
        built_in boolean NOT NULL DEFAULT false,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL
      );
      CREATE UNIQUE INDEX roles_name ON roles (name, organization_id) NULLS NOT DISTINCT;
      CREATE INDEX roles_organization ON roles (organization_id);

      INSERT INTO roles (id, name, description, permissions, all_permissions, implicit, built_in, created_at, updated_at)
      VALUES
        ('${PLATFORM_ADMIN_ID}', 'platform-admin', 'Holds every permission, new ones included.', '{}', true, false, true, now(), now()),
        ('${MEMBER_ID}', 'member', 'Held by every active user, without a binding.', '{}', false, true, true, now(), now());
    `,
  },
  {
    name: '0003-bindings',
    up: `
      -- One row a subject, locked by whoever changes its bindings: states of a subject follow each other.
      CREATE TABLE subjects (
        id uuid PRIMARY KEY,
        version integer NOT NULL DEFAULT 1
      );
      CREATE TABLE bindings (
        id uuid PRIMARY KEY,
        subject_id uuid NOT NULL REFERENCES subjects (id),
        role_id uuid NOT NULL REFERENCES roles (id),
        scope text NOT NULL CHECK (scope ~ '^(platform|organization:[0-9a-f-]{36})$'),
        created_at timestamptz(3) NOT NULL,
        created_by text NOT NULL
      );
      CREATE UNIQUE INDEX bindings_once ON bindings (subject_id, role_id, scope);
      CREATE INDEX bindings_role ON bindings (role_id);
      CREATE INDEX bindings_scope ON bindings (scope);
    `,
  },
];
