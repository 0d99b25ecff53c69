import type { QueryRunner } from 'typeorm';

/** One step of a service's schema. */
export interface Migration {
  /** `0001-sessions`: unique in the service, never changed once released. */
  name: string;
  /**
   * SQL (one or more statements, unqualified names are of the service's schema), or a function. Runs as
   * `<service>_owner` in a transaction of its own; the app role may select, insert, update and delete in what
   * it creates, unless it revokes that.
   */
  up: string | ((runner: QueryRunner) => Promise<void>);
}

/** One step of schema `platform`; runs as `platform_owner` with `search_path = platform`, in a transaction of its own. */
export interface PlatformMigration {
  /** Unique in the platform: `discovery-0001-leases`. */
  name: string;
  up: string;
}
