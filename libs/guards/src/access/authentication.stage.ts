import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { DECISION, type RequestContext } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { JwtAuthenticator } from '../authentication/jwt-authenticator.ts';
import { decisionEvent, refusalEvent } from './decision-events.ts';
import type { InboundCall } from './inbound-call.ts';
import type { RouteRules } from './route-rules.ts';

/**
 * Who the call is for, from its access token. Where services alone are asked for (`@AllowedClients`) a token may be
 * absent; one that is there must be good. A public route looks at none.
 */
@Injectable()
export class AuthenticationStage {
  constructor(private readonly authenticator: JwtAuthenticator) {}

  async check(call: InboundCall, rules: RouteRules, work: RequestContext): Promise<void> {
    if (rules.access?.kind === 'public') return;
    try {
      const authorization = call.header('authorization');
      if (authorization === undefined) {
        if (rules.access !== undefined) throw new NotAuthenticated();
        return;
      }
      work.principal = (await this.authenticator.authenticate(authorization)).principal;
    } catch (error) {
      refusalEvent(work.span, DECISION.AUTHENTICATION, error);
      throw error;
    }
    const reason = 'the token is good';
    decisionEvent(work.span, DECISION.AUTHENTICATION, { allowed: true, reason });
  }
}
