import { RateLimited } from '@gatehouse/contracts-platform';
import { DECISION, GATEHOUSE, type RequestContext, ServiceInfo } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { addressKey } from '../rate-limits/client-address.ts';
import { rateLimitHeaders, rateLimitKey } from '../rate-limits/rate-limit-fields.ts';
import {
  type Consumed,
  type RateLimitPolicy,
  RateLimitStore,
} from '../rate-limits/rate-limit-store.ts';
import { decisionEvent } from './decision-events.ts';
import type { InboundCall } from './inbound-call.ts';
import type { RouteRules } from './route-rules.ts';
import { GATEWAY } from './via.stage.ts';

interface Reported {
  policies: RateLimitPolicy[];
  results: Consumed[];
}

const REPORTED = Symbol('rate limits reported');

/**
 * The route's rate limits, for calls that did not come through the gateway, which has counted those already. Asked
 * twice: by address before the token is looked at, so that guessing tokens is limited, and by principal after.
 */
@Injectable()
export class RateLimitStage {
  constructor(
    private readonly store: RateLimitStore,
    private readonly service: ServiceInfo,
  ) {}

  async check(
    by: RateLimitPolicy['by'],
    call: InboundCall,
    rules: RouteRules,
    work: RequestContext,
  ): Promise<void> {
    if (rules.limits.length === 0 || work.caller === GATEWAY) return;
    const subject = by === 'ip' ? addressKey(work.clientIp) : work.principal?.id;
    if (subject === undefined) return;
    const policies = rules.limits.filter((policy) => policy.by === by);
    // All at once: a store elsewhere is asked once for all.
    const results = await Promise.all(
      policies.map(async (policy) => {
        const key = rateLimitKey(this.service.name, rules.operation, policy, subject);
        return this.store.consume(key, policy.cost ?? 1, policy);
      }),
    );
    for (const [index, { allowed, remaining }] of results.entries()) {
      const reason = allowed ? 'within the limit' : 'limit exceeded';
      decisionEvent(
        work.span,
        DECISION.RATE_LIMIT,
        { allowed, reason },
        {
          [GATEHOUSE.POLICY]: policies[index]?.name ?? '',
          [GATEHOUSE.REMAINING]: remaining,
        },
      );
    }
    const reported = reportedOf(work);
    reported.policies.push(...policies);
    reported.results.push(...results);
    const fields = rateLimitHeaders(reported.policies, reported.results);
    for (const [name, value] of Object.entries(fields)) call.setHeader(name, value);
    const retryAfter = fields['Retry-After'];
    if (retryAfter !== undefined)
      throw new RateLimited(undefined, { retryAfterSeconds: Number(retryAfter) });
  }
}

function reportedOf(work: RequestContext): Reported {
  let reported = work.locals.get(REPORTED) as Reported | undefined;
  if (reported === undefined) work.locals.set(REPORTED, (reported = { policies: [], results: [] }));
  return reported;
}
