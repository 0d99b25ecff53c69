import {
  MethodNotAllowed,
  NotCanonicalPath,
  RouteNotFound,
  ServiceUnavailable,
  ValidationFailed,
} from '@gatehouse/contracts-platform';
import type { RouteTable } from '../routing/route-table.ts';
import { canonicalPathEnd } from '../request/canonical-path.ts';
import type { HeadProblem } from '../request/request-head.ts';
import type { Cors } from './cors.ts';
import type { Exchange } from './exchange.ts';
import { isOwnPath } from './own-routes.ts';
import type { Stage } from './pipeline.ts';

/** Methods that a route may have or imply; any other is refused before it could mean something to a service. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);

const HEAD_PROBLEMS: Record<NonNullable<HeadProblem>, string> = {
  'too-many-fields': 'There are too many header fields',
  host: 'The Host header is missing, repeated or not a host',
  duplicate: 'A header that may stand once stands twice',
  framing: 'The length of the body can be read in more than one way',
};

/**
 * Canonical path, then manifest and route. A refusal is only noted here: it is given after the client's address was
 * counted, so that probing for paths is limited like anything else.
 */
export function matchStage(table: () => RouteTable, cors: Cors): Stage {
  return (exchange) => {
    const { head, method, target } = exchange;
    if (head.origin !== undefined) exchange.corsHeaders = cors.headersFor(head.origin);
    if (head.problem !== undefined || head.host === undefined) {
      exchange.refusal = new ValidationFailed(HEAD_PROBLEMS[head.problem ?? 'host']);
      return;
    }
    const end = canonicalPathEnd(target);
    if (end < 0) {
      exchange.refusal = new NotCanonicalPath();
      return;
    }
    exchange.pathEnd = end;
    exchange.route = table().match(method, target, end, exchange.startedAt);
    if (exchange.route !== undefined) return;
    if (isOwnPath(target, end)) exchange.isOwn = true;
    else explain(exchange, table(), cors);
  };
}

function explain(exchange: Exchange, table: RouteTable, cors: Cors): void {
  const { head, method, target, pathEnd } = exchange;
  const methods = table.methodsAt(target, pathEnd);
  if (methods.length === 0) {
    exchange.refusal = table.isComplete
      ? new RouteNotFound()
      : new ServiceUnavailable('Routes are still being read', { retryAfterSeconds: 1 });
  } else if (method !== 'OPTIONS' || !KNOWN_METHODS.has(method)) {
    exchange.refusal = new MethodNotAllowed(undefined, { metadata: { allow: methods.join(', ') } });
  } else {
    const isPreflight = head.origin !== undefined && head.preflightMethod !== undefined;
    exchange.options = isPreflight
      ? { cors: cors.preflightHeaders(head.origin ?? '', methods), allow: methods.join(', ') }
      : { cors: exchange.corsHeaders, allow: methods.join(', ') };
  }
}
