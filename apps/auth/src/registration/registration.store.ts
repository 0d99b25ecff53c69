import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** A registration that Identity has not answered yet. */
export interface Registration {
  userId: string;
  email: string;
  displayName: string | null;
  passwordHash: string;
  /** The network it came from, as KnownNetworks keeps it. */
  network: Buffer;
}

const COLUMNS = `user_id AS "userId", email, display_name AS "displayName", password_hash AS "passwordHash", network`;
/** The caller who registered finishes it within this time, or never will. */
const LEFT_ALONE_SECONDS = 15;
const MAX_PAUSE_SECONDS = 300;

@Injectable()
export class RegistrationStore {
  constructor(private readonly database: Database) {}

  async insert({ userId, email, displayName, passwordHash, network }: Registration): Promise<void> {
    await this.database.query(
      `INSERT INTO registrations (user_id, email, display_name, password_hash, network, next_attempt_at, created_at)
       VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), now())`,
      [userId, email, displayName, passwordHash, network, LEFT_ALONE_SECONDS],
    );
  }

  /** Removes it. @returns false where somebody else has ended it already */
  async delete(userId: string): Promise<boolean> {
    const rows = await this.database.query(
      `DELETE FROM registrations WHERE user_id = $1 RETURNING 1`,
      [userId],
    );
    return rows.length > 0;
  }

  /** Those left over by a crash or an absent Identity; each is one sweeper's for a while, a longer one each time. */
  takeDue(limit: number): Promise<Registration[]> {
    return this.database.query<Registration & Record<string, unknown>>(
      `UPDATE registrations
       SET attempts = attempts + 1,
           next_attempt_at = now() + make_interval(secs => least($2, 15 * 2.0 ^ least(attempts, 10)))
       WHERE user_id IN (
         SELECT user_id FROM registrations WHERE next_attempt_at <= now()
         ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED
       )
       RETURNING ${COLUMNS}`,
      [limit, MAX_PAUSE_SECONDS],
    );
  }
}
