import { IntegrationEvents } from '@gatehouse/event-bus';
import { currentTransaction } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { AuthMetrics } from '../auth.metrics.ts';
import { RevocationChanges } from '../revocations/revocation-changes.ts';
import type { RevokeReason, Session } from './session.entity.ts';
import { SessionStore } from './session.store.ts';

/** Ends sessions, in the caller's transaction: the rows, what the edge is told, and what is published. */
@Injectable()
export class SessionEnding {
  constructor(
    private readonly sessions: SessionStore,
    private readonly changes: RevocationChanges,
    private readonly events: IntegrationEvents,
    private readonly metrics: AuthMetrics,
  ) {}

  /** The caller holds the row's lock. One that has ended already stays as it is. */
  async end(session: Session, reason: RevokeReason): Promise<void> {
    if (session.revokedAt !== null) return;
    await this.sessions.rows.update(
      { id: session.id },
      { revokedAt: new Date(), revokeReason: reason },
    );
    await this.changes.sessionRevoked(session.id);
    this.events.publish('auth.session.revoked.v1', {
      key: session.id,
      data: { session_id: session.id, user_id: session.userId, reason },
    });
    currentTransaction()?.afterCommit(() => this.metrics.sessionsRevoked.inc({ reason }));
  }

  /** All of a user's but one, if one is named. @returns how many */
  async endAll(userId: string, reason: RevokeReason, except?: string): Promise<number> {
    const sessions = await this.sessions.lockAllOf(userId, except);
    for (const session of sessions) await this.end(session, reason);
    return sessions.length;
  }
}
