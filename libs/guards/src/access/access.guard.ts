import { requestContext } from '@gatehouse/kernel';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

import { AuthenticationStage } from './authentication.stage.ts';
import { AuthorizationStage } from './authorization.stage.ts';
import { inboundCall } from './inbound-call.ts';
import { RateLimitStage } from './rate-limit.stage.ts';
import { RouteRulesReader } from './route-rules.ts';
import { ViaStage } from './via.stage.ts';

/**
 * The one guard of every HTTP route and gRPC method, bound once as APP_GUARD. It is one guard because its stages have
 * one valid order: only a verified `Gatehouse-Via` makes the client's address worth counting, addresses are counted
 * before a token is looked at, and permissions are those of an authenticated caller. Deny by default: what declares
 * nothing is refused (and stops the start before that, see AccessCheck).
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly rules: RouteRulesReader,
    private readonly via: ViaStage,
    private readonly authentication: AuthenticationStage,
    private readonly authorization: AuthorizationStage,
    private readonly limits: RateLimitStage,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rules = this.rules.of(context);
    if (rules.admin) return true;
    const call = inboundCall(context);
    const work = requestContext.require();
    await this.via.check(call, rules, work);
    await this.limits.check('ip', call, rules, work);
    await this.authentication.check(call, rules, work);
    await this.limits.check('principal', call, rules, work);
    await this.authorization.check(call, rules, work);
    return true;
  }
}
