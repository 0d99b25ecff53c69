import { ChangeFeed } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';

export const SESSION = 'session';
export const SUBJECT = 'subject';
export const CLIENT = 'client';

/** Clocks may differ by so much; a follower that heard nothing for longer than that asks for everything anew. */
const SKEW_MS = 120_000;
/** A follower that was away for long asks for everything anew, so what is undone may be forgotten after this. */
const KEPT_MS = 24 * 3_600_000;

/** Tells the edge, within the transaction of a change, what is refused now. The caller holds the item's row lock. */
@Injectable()
export class RevocationChanges {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly config: AuthConfig,
  ) {}

  sessionRevoked(id: string): Promise<void> {
    return this.untilTokensExpire(SESSION, id);
  }

  /** A disabled subject is state: it lasts until it is undone. */
  subjectDisabled(id: string): Promise<void> {
    return this.feed.append(SUBJECT, id, { revoked: true });
  }

  subjectEnabled(id: string): Promise<void> {
    return this.feed.append(SUBJECT, id, { revoked: false }, new Date(Date.now() + KEPT_MS));
  }

  /** It does not come back: what holds until its last token has expired holds for good. */
  subjectDeleted(id: string): Promise<void> {
    return this.untilTokensExpire(SUBJECT, id);
  }

  clientDeleted(id: string): Promise<void> {
    return this.untilTokensExpire(CLIENT, id);
  }

  async prune(): Promise<void> {
    for (const kind of [SESSION, SUBJECT, CLIENT]) await this.feed.prune(kind, new Date());
  }

  private untilTokensExpire(kind: string, id: string): Promise<void> {
    const lifetime = this.config.AUTH_ACCESS_TOKEN_SECONDS * 1000 + SKEW_MS;
    const expiresAt = new Date(Date.now() + lifetime);
    return this.feed.append(
      kind,
      id,
      { revoked: true, expires_at: expiresAt.toISOString() },
      expiresAt,
    );
  }
}
