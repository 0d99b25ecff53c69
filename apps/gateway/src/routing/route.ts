import type { RateLimitPolicy, RouteDeclaration } from '@gatehouse/contracts-platform';
import type { RouteSeries } from '../telemetry/route-series.ts';
import type { ServiceVersion } from './service-version.ts';
import { parameterIndex } from './route-tree.ts';

/** One limit that a request counts against; the subject is appended to `key`. */
export interface Limit {
  readonly policy: RateLimitPolicy;
  readonly key: string;
  readonly cost: number;
}

/** A route of one manifest, with everything that is the same for each of its requests worked out once. */
export interface Route {
  readonly declaration: RouteDeclaration;
  readonly version: ServiceVersion;
  readonly addressLimits: readonly Limit[];
  /** Empty for a public route: it has no principal. */
  readonly principalLimits: readonly Limit[];
  /** The `RateLimit-Policy` field of its answers. */
  readonly limitPolicies: string;
  /** What each of its answers carries: name, value, name, value. */
  readonly answerHeaders: readonly string[];
  /** Where in the path the `or_self` parameter stands; -1 where there is none. */
  readonly selfIndex: number;
  readonly takesAnyMedia: boolean;
  readonly series: RouteSeries;
}

/** What the edge counts for every route, besides what the route declares. */
export interface EdgePolicies {
  readonly address: RateLimitPolicy;
  readonly principal: RateLimitPolicy;
}

export function compileRoute(
  declaration: RouteDeclaration,
  version: ServiceVersion,
  edge: EdgePolicies,
  series: RouteSeries,
): Route {
  const isPublic = declaration.access.kind === 'public';
  const own = (by: RateLimitPolicy['by']) =>
    declaration.rate_limits
      .filter((policy) => policy.by === by)
      .map((policy) => limit(policy, `${version.service}|${declaration.operation}`));
  const addressLimits = [limit(edge.address, 'edge|'), ...own('ip')];
  const principalLimits = isPublic ? [] : [limit(edge.principal, 'edge|'), ...own('principal')];
  return {
    declaration,
    version,
    addressLimits,
    principalLimits,
    answerHeaders: deprecationHeaders(declaration),
    limitPolicies: policyField([...addressLimits, ...principalLimits]),
    selfIndex:
      declaration.access.kind === 'permission' && declaration.access.or_self !== undefined
        ? parameterIndex(declaration.path, declaration.access.or_self)
        : -1,
    takesAnyMedia: declaration.consumes.includes('*/*'),
    series,
  };
}

/** draft-ietf-httpapi-ratelimit-headers: `"default";q=100;w=60` */
export function policyField(limits: readonly Limit[]): string {
  return limits
    .map(({ policy }) => `"${policy.name}";q=${policy.limit};w=${policy.window_seconds}`)
    .join(', ');
}

/** RFC 9745 `Deprecation`, RFC 8594 `Sunset`. */
function deprecationHeaders({ deprecation }: RouteDeclaration): string[] {
  if (deprecation === undefined) return [];
  const since = Math.floor(Date.parse(deprecation.deprecated_at) / 1_000);
  const headers = ['deprecation', `@${since}`];
  if (deprecation.sunset_at !== undefined) {
    headers.push('sunset', new Date(deprecation.sunset_at).toUTCString());
  }
  if (deprecation.link !== undefined)
    headers.push('link', `<${deprecation.link}>; rel="deprecation"`);
  return headers;
}

function limit(policy: RateLimitPolicy, scope: string): Limit {
  return { policy, key: `${scope}|${policy.name}|`, cost: policy.cost ?? 1 };
}
