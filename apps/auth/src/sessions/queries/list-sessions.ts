import type { Principal } from '@gatehouse/kernel';
import { type Page, Pages } from '@gatehouse/persistence';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';

import type { ListSessionsQuery, SessionView } from '../../auth.schemas.ts';
import { SessionOrigins } from '../session-origin.ts';
import { SessionStore } from '../session.store.ts';

/** The caller's own sessions that are in force. */
export class ListSessions extends Query<Page<SessionView>> {
  constructor(
    readonly who: Principal,
    readonly query: ListSessionsQuery,
  ) {
    super();
  }
}

@QueryHandler(ListSessions)
export class ListSessionsHandler implements IQueryHandler<ListSessions> {
  constructor(
    private readonly sessions: SessionStore,
    private readonly origins: SessionOrigins,
    private readonly pages: Pages,
  ) {}

  /** Newest first: ids are UUIDv7. */
  async execute({ who, query }: ListSessions): Promise<Page<SessionView>> {
    const rows = this.sessions.rows
      .createQueryBuilder('session')
      .where('session.user_id = :userId AND session.revoked_at IS NULL', { userId: who.id })
      .andWhere('session.expires_at > now()');
    const page = await this.pages.paginate(rows, {
      pageSize: query.page_size,
      pageToken: query.page_token,
      orderBy: ['-id'],
      bind: { user: who.id },
    });
    return {
      ...page,
      items: page.items.map((session) => {
        const { ip, userAgent } = this.origins.open(session.id, session.sealedOrigin);
        return {
          id: session.id,
          client_id: session.clientId,
          created_at: session.createdAt.toISOString(),
          last_used_at: session.lastUsedAt.toISOString(),
          expires_at: session.expiresAt.toISOString(),
          current: session.id === who.sessionId,
          user_agent: userAgent,
          ip,
        };
      }),
    };
  }
}
