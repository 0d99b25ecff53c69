import { NotAuthenticated, PermissionDenied } from '@gatehouse/contracts-platform';
import { scopeFor } from '@gatehouse/guards';
import {
  asPlatformError,
  DECISION,
  GATEHOUSE,
  newRequestContext,
  requestContext,
} from '@gatehouse/kernel';
import type { Route } from '../routing/route.ts';
import { segmentAt } from '../routing/route-tree.ts';
import type { Exchange } from './exchange.ts';
import type { Stage } from './pipeline.ts';
import type {
  AccessDecision,
  CheckedToken,
  DenialRecord,
  GrantChecks,
  RevocationChecks,
  TokenChecks,
} from './ports.ts';

/** Verifies the access token and looks its session, client and subject up, on every route that is not public. */
export function authenticateStage<T extends CheckedToken>(
  tokens: TokenChecks<T>,
  revocations: RevocationChecks<T>,
): Stage {
  const admit = (exchange: Exchange, token: T): void => {
    const revoked = revocations.isRevoked(token);
    if (revoked !== 'no')
      throw refusedToken(exchange, new NotAuthenticated(), `${revoked} revoked`);
    exchange.principal = token.principal;
    exchange.span?.event(DECISION.AUTHENTICATION, {
      [GATEHOUSE.OUTCOME]: 'allowed',
      [GATEHOUSE.REASON]: 'the token is good',
    });
  };
  return (exchange) => {
    if (routeOf(exchange).declaration.access.kind === 'public') return undefined;
    const presented = bearerToken(exchange.head.authorization);
    if (presented === undefined) throw refusedToken(exchange, new NotAuthenticated(), 'no token');
    let token: T;
    try {
      token = tokens.verify(presented);
    } catch (error) {
      if (!mayNameNewKey(error)) throw refusedToken(exchange, error);
      return tokens.verifyOrRefresh(presented).then(
        (late) => admit(exchange, late),
        (late: unknown) => {
          throw refusedToken(exchange, late);
        },
      );
    }
    admit(exchange, token);
    return undefined;
  };
}

/** Takes the refusal down. Its reason is the error's code, for the text of an error may repeat what was sent. */
function refusedToken(exchange: Exchange, error: unknown, reason?: string): unknown {
  exchange.decided(DECISION.AUTHENTICATION, {
    [GATEHOUSE.OUTCOME]: 'refused',
    [GATEHOUSE.REASON]: reason ?? asPlatformError(error).code,
  });
  return error;
}

/** Decides whether the principal may, by the manifest's policy. No answer is a 503, never an allow. */
export function authorizeStage(grants: GrantChecks, record: DenialRecord): Stage {
  const settle = (exchange: Exchange, permission: string, decision: AccessDecision): void => {
    note(exchange, permission, decision);
    if (decision.allowed) return;
    record.denied(exchange, permission);
    throw new PermissionDenied(`This needs ${permission}`);
  };
  return (exchange) => {
    const route = routeOf(exchange);
    const { access } = route.declaration;
    if (access.kind !== 'permission') return undefined;
    const { principal } = exchange;
    if (principal === undefined) throw new NotAuthenticated();
    if (route.selfIndex >= 0 && selfOf(exchange, route) === principal.id) {
      note(exchange, access.permission, OWN);
      return undefined;
    }
    const scope = scopeFor(access.scope, principal.organizationId);
    const decide = () => grants.decide(principal, access.permission, scope);
    const decision = exchange.span === undefined ? decide() : within(exchange, decide);
    if (decision instanceof Promise) {
      return decision.then((late) => settle(exchange, access.permission, late));
    }
    settle(exchange, access.permission, decision);
    return undefined;
  };
}

const OWN: AccessDecision = { allowed: true, reason: 'it is about the principal itself' };

function note(exchange: Exchange, permission: string, decision: AccessDecision): void {
  if (exchange.span === undefined && decision.allowed) return;
  exchange.decided(DECISION.AUTHORIZATION, {
    [GATEHOUSE.PERMISSION]: permission,
    [GATEHOUSE.OUTCOME]: decision.allowed ? 'allowed' : 'refused',
    [GATEHOUSE.REASON]: decision.reason,
    ...(decision.source !== undefined && { [GATEHOUSE.SOURCE]: decision.source }),
  });
}

/** Who must ask Authz does so within the request's trace. */
function within<T>({ requestId, trace, span }: Exchange, fn: () => T): T {
  return requestContext.run(newRequestContext({ requestId, trace, ...(span && { span }) }), fn);
}

/** The verifier's own kind of NotAuthenticated: a key that may have been published a moment ago is worth asking for. */
function mayNameNewKey(error: unknown): boolean {
  return error instanceof NotAuthenticated && error.constructor !== NotAuthenticated;
}

function routeOf({ route }: Exchange): Route {
  if (route === undefined) throw new Error('a request without a route came past matching');
  return route;
}

function selfOf({ target, pathEnd }: Exchange, route: Route): string | undefined {
  return segmentAt(target, pathEnd, route.selfIndex);
}

/** RFC 6750 section 2.1; the scheme in any case, exactly one space. */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length < 8) return undefined;
  if (!authorization.startsWith('Bearer ') && !/^bearer /i.test(authorization)) return undefined;
  return authorization.slice(7);
}
