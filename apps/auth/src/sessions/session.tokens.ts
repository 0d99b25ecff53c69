import { Injectable } from '@nestjs/common';

import type { TokensView } from '../auth.schemas.ts';
import { type Grant, TokenIssuer } from '../tokens/token-issuer.ts';
import type { RefreshToken } from './refresh-tokens.ts';
import type { Session } from './session.entity.ts';

/** What a login or a refresh answers with. */
@Injectable()
export class SessionTokens {
  constructor(private readonly issuer: TokenIssuer) {}

  view(session: Session, refreshToken: RefreshToken, grant: Grant): TokensView {
    const { accessToken, expiresIn } = this.issuer.issue(
      {
        id: session.userId,
        type: 'user',
        sessionId: session.id,
        clientId: session.clientId,
        organizationId: session.organizationId,
      },
      grant,
    );
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: expiresIn,
      refresh_token: refreshToken.text,
      session_id: session.id,
    };
  }
}
