import {
  InvalidRequest,
  InvalidScope,
  UnauthorizedClient,
  UnsupportedGrantType,
} from '@gatehouse/contracts-auth';
import { Public, RateLimit, RouteOptions } from '@gatehouse/guards';
import { Answers } from '@gatehouse/kernel';
import { Body, Controller, Header, Headers, HttpCode, Post, UseFilters } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';

import { RefreshSession } from '../sessions/commands/refresh-session.ts';
import { FIRST_PARTY_CLIENT } from '../sessions/sessions.ts';
import { AuthenticateClient } from './commands/authenticate-client.ts';
import { IssueClientToken } from './commands/issue-client-token.ts';
import { OAuthErrorFilter } from './oauth-error.filter.ts';
import { TokenError, TokenRequest, TokenResponse } from './oauth.schemas.ts';
import { type PresentedClient, presentedClient } from './presented-client.ts';

/** OAuth 2.0 (RFC 6749) for clients outside of the platform. There is no password grant (RFC 9700 2.4). */
@Controller('oauth2')
@UseFilters(OAuthErrorFilter)
export class OAuthController {
  constructor(private readonly commands: CommandBus) {}

  @Post('token')
  @HttpCode(200)
  @Public()
  @RateLimit({ limit: 60, per: '1m', by: 'ip' })
  @RouteOptions({ consumes: ['application/x-www-form-urlencoded'], bodyLimit: 16 * 1024 })
  @Header('Cache-Control', 'no-store')
  @Header('Pragma', 'no-cache')
  @Answers(200, TokenResponse, 'RFC 6749 5.1')
  @Answers(400, TokenError, 'RFC 6749 5.2')
  token(
    @Body({ schema: TokenRequest }) request: TokenRequest,
    @Headers('authorization') authorization?: string,
  ) {
    if (request.grant_type === undefined) throw new InvalidRequest('grant_type is missing.');
    // No scopes are defined: what a token may do is decided by Authz.
    if (request.scope !== undefined) throw new InvalidScope();
    switch (request.grant_type) {
      case 'client_credentials':
        return this.clientCredentials(presentedClient(authorization, request));
      case 'refresh_token':
        return this.refresh(presentedClient(authorization, request), request);
      default:
        throw new UnsupportedGrantType();
    }
  }

  private async clientCredentials(client: PresentedClient) {
    if (client.id === FIRST_PARTY_CLIENT) throw new UnauthorizedClient();
    const { accessToken, expiresIn } = await this.commands.execute(new IssueClientToken(client));
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn };
  }

  private async refresh(client: PresentedClient, request: TokenRequest) {
    if (request.refresh_token === undefined) throw new InvalidRequest('refresh_token is missing.');
    // The one public client has no secret; every other one must prove which it is.
    if (client.id !== FIRST_PARTY_CLIENT)
      await this.commands.execute(new AuthenticateClient(client));
    return this.commands.execute(new RefreshSession(request.refresh_token, client.id));
  }
}
