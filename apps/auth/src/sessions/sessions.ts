import { CredentialChanged } from '@gatehouse/contracts-auth';
import { IntegrationEvents } from '@gatehouse/event-bus';
import { newId } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { AuthConfig } from '../auth.config.ts';
import type { Credential } from '../credentials/credential.store.ts';
import { CredentialStore } from '../credentials/credential.store.ts';
import { hashOf, type RefreshToken, RefreshTokens } from './refresh-tokens.ts';
import { type Origin, SessionOrigins } from './session-origin.ts';
import { Session } from './session.entity.ts';
import { SessionStore } from './session.store.ts';

/** The client of sessions that begin with `POST /v1/auth/login`: public, without a secret. */
export const FIRST_PARTY_CLIENT = 'gatehouse';

/** Starts sessions, in the caller's transaction. */
@Injectable()
export class Sessions {
  constructor(
    private readonly store: SessionStore,
    private readonly credentials: CredentialStore,
    private readonly origins: SessionOrigins,
    private readonly refreshTokens: RefreshTokens,
    private readonly events: IntegrationEvents,
    private readonly config: AuthConfig,
  ) {}

  /**
   * @param checked the credential as it was when the password was found right
   * @throws CredentialChanged where it has changed since, or has been disabled: no session slips through
   */
  async start(
    checked: Credential,
    origin: Origin,
    organizationId: string | undefined,
  ): Promise<{ session: Session; refreshToken: RefreshToken }> {
    const { userId } = checked;
    const credential = await this.credentials.findForShare(userId);
    if (credential?.version !== checked.version || credential.disabled)
      throw new CredentialChanged();
    const id = newId();
    const refreshToken = this.refreshTokens.first(id);
    const now = new Date();
    const session = this.store.rows.create({
      id,
      userId,
      clientId: FIRST_PARTY_CLIENT,
      organizationId: organizationId ?? null,
      sealedOrigin: this.origins.seal(id, origin),
      generation: refreshToken.generation,
      refreshHash: hashOf(refreshToken.text),
      rotatedAt: [],
      createdAt: now,
      lastUsedAt: now,
      expiresAt: new Date(now.getTime() + this.config.AUTH_SESSION_SECONDS * 1000),
      revokedAt: null,
      revokeReason: null,
    });
    await this.store.rows.insert(session);
    this.events.publish('auth.session.started.v1', {
      key: id,
      data: {
        session_id: id,
        user_id: userId,
        client_id: session.clientId,
        expires_at: session.expiresAt.toISOString(),
      },
    });
    return { session, refreshToken };
  }
}
