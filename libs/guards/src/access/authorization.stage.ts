import {
  CallerNotAllowed,
  NotAuthenticated,
  PermissionDenied,
} from '@gatehouse/contracts-platform';
import { DECISION, GATEHOUSE, type RequestContext } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { DenialRecorder } from '../audit/denial-recorder.ts';
import { GrantView } from '../authorization/grant-view.ts';
import { scopeFor } from '../authorization/scope.ts';
import { ANY_SERVICE } from '../decorators/access.decorators.ts';
import { decisionEvent } from './decision-events.ts';
import type { InboundCall } from './inbound-call.ts';
import type { RouteRules } from './route-rules.ts';

/** Not in the directory, so `ANY_SERVICE` does not mean it. */
const PROVISIONER = 'provisioner';

/** Whether this caller may make this call. What nobody declared is refused. */
@Injectable()
export class AuthorizationStage {
  constructor(
    private readonly grants: GrantView,
    private readonly denials: DenialRecorder,
  ) {}

  async check(call: InboundCall, rules: RouteRules, work: RequestContext): Promise<void> {
    if (rules.access === undefined && rules.callers === undefined) throw new PermissionDenied();
    if (rules.callers !== undefined) await this.checkCaller(rules, rules.callers, work);
    if (rules.access?.kind === 'permission')
      await this.checkPermission(call, rules, rules.access, work);
  }

  private async checkCaller(
    rules: RouteRules,
    callers: readonly string[],
    { caller, span }: RequestContext,
  ): Promise<void> {
    if (caller === undefined) throw new NotAuthenticated('Gatehouse-Via is required.');
    const allowed =
      callers.includes(caller) || (callers.includes(ANY_SERVICE) && caller !== PROVISIONER);
    const reason = `the caller is ${caller}`;
    decisionEvent(span, DECISION.AUTHORIZATION, { allowed, reason });
    if (allowed) return;
    await this.denials.record(rules, CallerNotAllowed.code);
    throw new CallerNotAllowed();
  }

  private async checkPermission(
    call: InboundCall,
    rules: RouteRules,
    { permission, orSelf, scope }: Extract<RouteRules['access'], { kind: 'permission' }>,
    { principal, span }: RequestContext,
  ): Promise<void> {
    if (principal === undefined) throw new NotAuthenticated();
    const about = { [GATEHOUSE.PERMISSION]: permission };
    if (orSelf !== undefined && call.request.params[orSelf] === principal.id) {
      const reason = 'it is about the principal itself';
      decisionEvent(span, DECISION.AUTHORIZATION, { allowed: true, reason }, about);
      return;
    }
    const decision = await this.grants.decide(
      principal,
      permission,
      scopeFor(scope, principal.organizationId),
    );
    decisionEvent(span, DECISION.AUTHORIZATION, decision, {
      ...about,
      [GATEHOUSE.SOURCE]: decision.source,
    });
    if (decision.allowed) return;
    await this.denials.record(rules, PermissionDenied.code, call.request);
    throw new PermissionDenied(`This needs the permission ${permission}.`, {
      metadata: { permission },
    });
  }
}
