import { InvalidGrant } from '@gatehouse/contracts-auth';
import { Transactional } from '@gatehouse/persistence';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { AuthConfig } from '../../auth.config.ts';
import type { TokensView } from '../../auth.schemas.ts';
import { hashOf, type RefreshToken, RefreshTokens } from '../refresh-tokens.ts';
import { afterRotation, judge } from '../rotation.ts';
import { SessionEnding } from '../session-ending.ts';
import type { Session } from '../session.entity.ts';
import { SessionStore } from '../session.store.ts';
import { SessionTokens } from '../session.tokens.ts';

export class RefreshSession extends Command<TokensView> {
  constructor(
    readonly refreshToken: string,
    /** The client that presents it: a token of another client's session is refused, and that session goes on. */
    readonly clientId: string,
  ) {
    super();
  }
}

interface Rotated {
  session: Session;
  next: RefreshToken;
}

@CommandHandler(RefreshSession)
export class RefreshSessionHandler implements ICommandHandler<RefreshSession> {
  constructor(
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: SessionStore,
    private readonly ending: SessionEnding,
    private readonly tokens: SessionTokens,
    private readonly config: AuthConfig,
  ) {}

  /** @throws InvalidGrant for every token that is not good, without saying why */
  async execute({ refreshToken, clientId }: RefreshSession): Promise<TokensView> {
    const presented = this.refreshTokens.read(refreshToken);
    const rotated = presented && (await this.rotate(presented, clientId));
    if (rotated === undefined) throw new InvalidGrant('The refresh token is not valid.');
    return this.tokens.view(rotated.session, rotated.next, 'refresh_token');
  }

  /**
   * One at a time a session, by its row's lock: fifty uses of a token at once are one rotation and 49 repeats. Refusals
   * are returned, not thrown: a reused token ends the session, and that must be committed.
   */
  @Transactional()
  async rotate(presented: RefreshToken, clientId: string): Promise<Rotated | undefined> {
    const session = await this.sessions.lock(presented.sessionId);
    const now = Date.now();
    if (session?.clientId !== clientId) return undefined;
    if (session.revokedAt !== null || session.expiresAt.getTime() <= now) return undefined;
    const windowMs = this.config.AUTH_REFRESH_WINDOW_SECONDS * 1000;
    switch (judge(session, presented.generation, now, windowMs)) {
      case 'rotate':
        return this.advance(session, presented, now, windowMs);
      case 'repeat':
        return this.repeat(session, presented);
      case 'reused':
        await this.ending.end(session, 'refresh_reused');
        return undefined;
      case 'unknown':
        return undefined;
    }
  }

  private async advance(
    session: Session,
    presented: RefreshToken,
    now: number,
    windowMs: number,
  ): Promise<Rotated | undefined> {
    if (!hashOf(presented.text).equals(session.refreshHash)) return undefined;
    const next = this.refreshTokens.successor(presented);
    await this.sessions.rows.update(
      { id: session.id },
      {
        generation: next.generation,
        refreshHash: hashOf(next.text),
        rotatedAt: afterRotation(session.rotatedAt, now, windowMs),
        lastUsedAt: new Date(now),
      },
    );
    return { session, next };
  }

  /** The chain from the token presented leads to the one that is good now, or it is not of this session's chain. */
  private repeat(session: Session, presented: RefreshToken): Rotated | undefined {
    const next = this.refreshTokens.successor(presented);
    let last = next;
    while (last.generation < session.generation) last = this.refreshTokens.successor(last);
    return hashOf(last.text).equals(session.refreshHash) ? { session, next } : undefined;
  }
}
