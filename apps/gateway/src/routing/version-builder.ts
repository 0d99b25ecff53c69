import type { Manifest } from '@gatehouse/contracts-platform';
import { hidesOwnPath } from '../front/own-routes.ts';
import type { RouteSeries } from '../telemetry/route-series.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';
import type { EdgePolicies } from './route.ts';
import { compileRoute } from './route.ts';
import { ServiceVersion } from './service-version.ts';

/** What the directory says a service may have. */
export interface Allotment {
  readonly name: string;
  readonly prefixes: readonly string[];
  readonly namespace: string;
}

/**
 * Turns a manifest into routes. A route outside the service's prefixes, or that needs a permission of another service,
 * is refused and listed; the others are served.
 */
export function buildVersion(
  manifest: Manifest,
  digest: string,
  allotted: Allotment,
  edge: EdgePolicies,
  seriesOf: (service: string, method: string, route: string) => RouteSeries,
): ServiceVersion {
  const version = new ServiceVersion(
    allotted.name,
    digest,
    manifest,
    new RetryBudget(performance.now()),
  );
  for (const declaration of manifest.routes) {
    const { method, path } = declaration;
    const reason = whyRefused(path, allotted);
    if (reason === undefined) {
      const series = seriesOf(allotted.name, method, path);
      version.add(compileRoute(declaration, version, edge, series));
    } else {
      version.refused.push({ service: allotted.name, digest, route: `${method} ${path}`, reason });
    }
  }
  return version;
}

function whyRefused(path: string, allotted: Allotment): string | undefined {
  if (hidesOwnPath(path)) return 'the path is one of the gateway itself';
  const isInside = allotted.prefixes.some(
    (prefix) => path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`),
  );
  return isInside ? undefined : `outside the prefixes of ${allotted.name}`;
}
