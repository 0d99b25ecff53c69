import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { PLATFORM_ADMIN_ID } from '../migrations/authz.migrations.ts';

/** Whoever asks who the platform's administrators are in order to change that does so alone. */
@Injectable()
export class AdministratorLock {
  constructor(private readonly database: Database) {}

  /** The bindings of `platform-admin` for the platform, which stay so until the transaction ends but for the caller's own changes. */
  async lock(): Promise<{ id: string; subject_id: string }[]> {
    await this.database.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('platform administrators', 0))`,
    );
    return this.database.query(
      `SELECT id, subject_id FROM bindings WHERE role_id = $1 AND scope = 'platform'`,
      [PLATFORM_ADMIN_ID],
    );
  }
}
