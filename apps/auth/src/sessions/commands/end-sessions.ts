import { SessionNotFound } from '@gatehouse/contracts-auth';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { SessionEnding } from '../session-ending.ts';
import type { RevokeReason } from '../session.entity.ts';
import { SessionStore } from '../session.store.ts';

/** Ends one session of a user. */
export class EndSession extends Command<{ id: string }> {
  constructor(
    readonly userId: string,
    readonly sessionId: string,
    readonly reason: RevokeReason,
  ) {
    super();
  }
}

/** Ends every session of a user, the one in use included. */
export class EndAllSessions extends Command<{ ended: number }> {
  constructor(readonly userId: string) {
    super();
  }
}

@CommandHandler(EndSession)
export class EndSessionHandler implements ICommandHandler<EndSession> {
  constructor(
    private readonly sessions: SessionStore,
    private readonly ending: SessionEnding,
  ) {}

  /** @throws SessionNotFound also for somebody else's; one that has ended already is ended again without effect */
  @Transactional()
  async execute({ userId, sessionId, reason }: EndSession): Promise<{ id: string }> {
    const session = await this.sessions.lock(sessionId);
    if (session?.userId !== userId) throw new SessionNotFound();
    await this.ending.end(session, reason);
    return { id: sessionId };
  }
}

@CommandHandler(EndAllSessions)
export class EndAllSessionsHandler implements ICommandHandler<EndAllSessions> {
  constructor(private readonly ending: SessionEnding) {}

  @Transactional()
  async execute({ userId }: EndAllSessions): Promise<{ ended: number }> {
    return { ended: await this.ending.endAll(userId, 'revoked') };
  }
}
