import { Audited, Authenticated, CurrentPrincipal, Public, RateLimit } from '@gatehouse/guards';
import { Answers, type Principal, Uuid } from '@gatehouse/kernel';
import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Headers,
  HttpCode,
  Param,
  Post,
  Query,
} from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';

import {
  ChangePasswordBody,
  ListSessionsQuery,
  LogInBody,
  RefreshBody,
  RegisterBody,
  RegisteredBody,
  SessionPage,
  TokensBody,
} from './auth.schemas.ts';
import { ChangePassword } from './credentials/commands/change-password.ts';
import { Register } from './registration/commands/register.ts';
import { EndAllSessions, EndSession } from './sessions/commands/end-sessions.ts';
import { LogIn } from './sessions/commands/log-in.ts';
import { RefreshSession } from './sessions/commands/refresh-session.ts';
import { ListSessions } from './sessions/queries/list-sessions.ts';
import { originOf } from './sessions/session-origin.ts';
import { FIRST_PARTY_CLIENT } from './sessions/sessions.ts';

/** What a person does with an account. Registration and login write their audit entries themselves: see LoginAudit. */
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('register')
  @HttpCode(202)
  @Public()
  @RateLimit({ limit: 10, per: '1m', by: 'ip' })
  @Answers(202, RegisteredBody, 'The same for known and unknown addresses')
  async register(
    @Body({ schema: RegisterBody }) body: RegisterBody,
    @Headers('user-agent') userAgent?: string,
  ) {
    await this.commands.execute(new Register(body, originOf(userAgent)));
    return { status: 'accepted' };
  }

  @Post('login')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public()
  @RateLimit({ limit: 10, per: '1m', by: 'ip' })
  @Answers(200, TokensBody, 'A new session')
  logIn(@Body({ schema: LogInBody }) body: LogInBody, @Headers('user-agent') userAgent?: string) {
    return this.commands.execute(new LogIn(body, originOf(userAgent)));
  }

  @Post('refresh')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @Public()
  @RateLimit({ limit: 60, per: '1m', by: 'ip' })
  @Answers(200, TokensBody, 'New tokens of the same session')
  refresh(@Body({ schema: RefreshBody }) body: RefreshBody) {
    return this.commands.execute(new RefreshSession(body.refresh_token, FIRST_PARTY_CLIENT));
  }

  @Post('logout')
  @HttpCode(204)
  @Authenticated()
  @Audited('auth.session.end')
  @Answers(204)
  async logOut(@CurrentPrincipal() who: Principal): Promise<void> {
    await this.commands.execute(new EndSession(who.id, who.sessionId, 'logout'));
  }

  @Get('sessions')
  @Authenticated()
  @Answers(200, SessionPage, 'The own sessions that are in force, newest first')
  sessions(
    @CurrentPrincipal() who: Principal,
    @Query({ schema: ListSessionsQuery }) query: ListSessionsQuery,
  ) {
    return this.queries.execute(new ListSessions(who, query));
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @Authenticated()
  @Audited('auth.session.revoke')
  @Answers(204)
  async endSession(
    @CurrentPrincipal() who: Principal,
    @Param('id', { schema: Uuid }) id: string,
  ): Promise<void> {
    await this.commands.execute(new EndSession(who.id, id, 'revoked'));
  }

  @Delete('sessions')
  @HttpCode(204)
  @Authenticated()
  @Audited('auth.session.revoke', {
    metadata: (result?: { ended: number }) => result && { ended: result.ended },
  })
  @Answers(204)
  async endAllSessions(@CurrentPrincipal() who: Principal): Promise<void> {
    await this.commands.execute(new EndAllSessions(who.id));
  }

  @Post('password/change')
  @HttpCode(204)
  @Authenticated()
  @RateLimit({ limit: 10, per: '1m', by: 'principal' })
  @Audited('auth.password.change', { type: 'user' })
  @Answers(204)
  changePassword(
    @CurrentPrincipal() who: Principal,
    @Body({ schema: ChangePasswordBody }) body: ChangePasswordBody,
  ) {
    return this.commands.execute(new ChangePassword(who, body));
  }
}
