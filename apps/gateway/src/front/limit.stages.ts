import { RateLimited, RouteNotFound } from '@gatehouse/contracts-platform';
import type { Consumed, RateLimitStore } from '@gatehouse/guards';
import { DECISION, GATEHOUSE } from '@gatehouse/kernel';
import type { EdgePolicies, Limit } from '../routing/route.ts';
import type { Exchange } from './exchange.ts';
import { answer } from './answer.ts';
import { checkOwnBody } from './body.stage.ts';
import type { Stage } from './pipeline.ts';

/** Counts the client's address: for every request, found or not. Then gives the refusal that matching has noted. */
export function addressLimitStage(
  store: RateLimitStore,
  edge: EdgePolicies,
  handOn: (exchange: Exchange) => void,
): Stage {
  const unmatched: Limit[] = [
    { policy: edge.address, key: `edge||${edge.address.name}|`, cost: edge.address.cost ?? 1 },
  ];
  return (exchange) => {
    const limits = exchange.route?.addressLimits ?? unmatched;
    const waiting = consumeAll(store, exchange, limits, exchange.client.limitKey);
    if (waiting === undefined) settleUnrouted(exchange, handOn);
    return waiting?.then(() => settleUnrouted(exchange, handOn));
  };
}

/** Counts the principal. */
export function principalLimitStage(store: RateLimitStore): Stage {
  return (exchange) => {
    const { principal, route } = exchange;
    if (principal === undefined || route === undefined) return undefined;
    return consumeAll(store, exchange, route.principalLimits, principal.id);
  };
}

function settleUnrouted(exchange: Exchange, handOn: (exchange: Exchange) => void): void {
  if (exchange.route !== undefined) return;
  if (exchange.isOwn) {
    checkOwnBody(exchange);
    exchange.isSettled = true;
    handOn(exchange);
  } else if (exchange.options !== undefined) {
    exchange.corsHeaders = exchange.options.cors;
    answer(exchange, 204, ['allow', exchange.options.allow]);
  } else {
    throw exchange.refusal ?? new RouteNotFound();
  }
}

/** Every policy is counted and reported, so that the answer tells all; the tightest refuses. */
function consumeAll(
  store: RateLimitStore,
  exchange: Exchange,
  limits: readonly Limit[],
  subject: string,
): Promise<void> | undefined {
  let refusedFor = 0;
  for (let index = 0; index < limits.length; index++) {
    const limit = limits[index] as Limit;
    const consumed = store.consume(limit.key + subject, limit.cost, limit.policy);
    if (consumed instanceof Promise) {
      return consumeRest(store, exchange, limits, subject, index, consumed, refusedFor);
    }
    refusedFor = Math.max(refusedFor, report(exchange, limit, consumed));
  }
  if (refusedFor > 0) throw limited(refusedFor);
  return undefined;
}

async function consumeRest(
  store: RateLimitStore,
  exchange: Exchange,
  limits: readonly Limit[],
  subject: string,
  from: number,
  first: Promise<Consumed>,
  refusedBefore: number,
): Promise<void> {
  let refusedFor = refusedBefore;
  const rest = limits.slice(from + 1);
  const answers = await Promise.all([
    first,
    ...rest.map((limit) => store.consume(limit.key + subject, limit.cost, limit.policy)),
  ]);
  for (const [offset, consumed] of answers.entries()) {
    refusedFor = Math.max(refusedFor, report(exchange, limits[from + offset] as Limit, consumed));
  }
  if (refusedFor > 0) throw limited(refusedFor);
}

/** @returns the seconds to wait, 0 where it was allowed */
function report(exchange: Exchange, { policy }: Limit, consumed: Consumed): number {
  if (exchange.span !== undefined || !consumed.allowed) {
    exchange.decided(DECISION.RATE_LIMIT, {
      [GATEHOUSE.POLICY]: policy.name,
      [GATEHOUSE.OUTCOME]: consumed.allowed ? 'allowed' : 'refused',
      [GATEHOUSE.REASON]: consumed.allowed ? 'within the limit' : 'limit exceeded',
      [GATEHOUSE.REMAINING]: consumed.remaining,
    });
  }
  const field = `"${policy.name}";r=${consumed.remaining};t=${consumed.resetSeconds}`;
  exchange.limitReport = exchange.limitReport === '' ? field : `${exchange.limitReport}, ${field}`;
  return consumed.allowed ? 0 : Math.max(1, consumed.retryAfterSeconds);
}

function limited(seconds: number): RateLimited {
  return new RateLimited(`Try again in ${seconds} s`, { retryAfterSeconds: seconds });
}
