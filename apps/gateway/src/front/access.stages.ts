import { NotAuthenticated, PermissionDenied } from '@gatehouse/contracts-platform';
import { scopeFor } from '@gatehouse/guards';
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
    if (revocations.isRevoked(token) !== 'no') throw new NotAuthenticated();
    exchange.principal = token.principal;
  };
  return (exchange) => {
    if (routeOf(exchange).declaration.access.kind === 'public') return undefined;
    const presented = bearerToken(exchange.head.authorization);
    if (presented === undefined) throw new NotAuthenticated();
    let token: T;
    try {
      token = tokens.verify(presented);
    } catch (error) {
      if (!mayNameNewKey(error)) throw error;
      return tokens.verifyOrRefresh(presented).then((late) => admit(exchange, late));
    }
    admit(exchange, token);
    return undefined;
  };
}

/** Decides whether the principal may, by the manifest's policy. No answer is a 503, never an allow. */
export function authorizeStage(grants: GrantChecks, record: DenialRecord): Stage {
  const settle = (exchange: Exchange, permission: string, decision: AccessDecision): void => {
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
    if (route.selfIndex >= 0 && selfOf(exchange, route) === principal.id) return undefined;
    const decision = grants.decide(
      principal,
      access.permission,
      scopeFor(access.scope, principal.organizationId),
    );
    if (decision instanceof Promise) {
      return decision.then((late) => settle(exchange, access.permission, late));
    }
    settle(exchange, access.permission, decision);
    return undefined;
  };
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
