import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { Session } from './session.entity.ts';

/** The table of sessions, through the current transaction where there is one. */
@Injectable()
export class SessionStore {
  constructor(private readonly database: Database) {}

  get rows() {
    return this.database.repository(Session);
  }

  /** The session, locked until the transaction ends. */
  lock(id: string): Promise<Session | null> {
    return this.rows.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** A user's sessions that are in force, locked in the order of their ids, so that two that end them all do not deadlock. */
  lockAllOf(userId: string, except?: string): Promise<Session[]> {
    const query = this.rows
      .createQueryBuilder('session')
      .where('session.user_id = :userId AND session.revoked_at IS NULL', { userId })
      .orderBy('session.id')
      .setLock('pessimistic_write');
    if (except !== undefined) query.andWhere('session.id <> :except', { except });
    return query.getMany();
  }

  /** Rows nobody asks for any more. @returns how many */
  async deleteExpiredBefore(instant: Date, limit: number): Promise<number> {
    const rows = await this.database.query(
      `DELETE FROM sessions WHERE id IN (
         SELECT id FROM sessions WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
       ) RETURNING 1`,
      [instant, limit],
    );
    return rows.length;
  }
}
