import type { Route } from './route.ts';
import type { ServiceVersion } from './service-version.ts';

/** The versions of one service that are served, and the prefixes the directory gives it. */
export interface ServedService {
  readonly name: string;
  readonly prefixes: readonly string[];
  readonly versions: readonly ServiceVersion[];
}

/**
 * Every route of the platform. Immutable: a change builds a new table, which takes the place of the old one whole, so
 * that no request ever sees half of a change.
 */
export class RouteTable {
  private readonly prefixes = new PrefixNode();

  constructor(
    readonly services: readonly ServedService[] = [],
    /** Every manifest has been asked for: what is not in the table is nowhere. */
    readonly isComplete = true,
  ) {
    for (const service of services) {
      for (const prefix of service.prefixes) this.prefixes.insert(prefix, service);
    }
  }

  /**
   * The route of a canonical path, or undefined. The service is told by its prefix, the manifest is drawn among the
   * service's versions by their live instances, and the route is found within that manifest; where that one has no such
   * route, the service's other versions are asked, so that a rolling upgrade adds routes before it takes any away.
   *
   * @param now monotonic milliseconds
   */
  match(method: string, path: string, end: number, now: number): Route | undefined {
    const service = this.prefixes.find(path, end);
    if (service === undefined) return undefined;
    const wanted = method === 'HEAD' ? 'GET' : method;
    const chosen = chooseVersion(service.versions, now);
    const route = chosen?.root.find(wanted, path, end);
    if (route !== undefined || service.versions.length < 2) return route;
    for (const version of service.versions) {
      const other = version === chosen ? undefined : version.root.find(wanted, path, end);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  /** The methods a path takes, as `Allow` lists them; empty where there is no such route at all. */
  methodsAt(path: string, end: number): string[] {
    const service = this.prefixes.find(path, end);
    const methods = new Set(service?.versions.flatMap(({ root }) => root.methodsAt(path, end)));
    if (methods.size === 0) return [];
    if (methods.has('GET')) methods.add('HEAD');
    methods.add('OPTIONS');
    return [...methods].sort();
  }
}

/** Drawn with the weight of its live instances; where none is live anywhere, of all its instances. */
export function chooseVersion(
  versions: readonly ServiceVersion[],
  now: number,
  random: () => number = Math.random,
): ServiceVersion | undefined {
  if (versions.length < 2) return versions[0];
  const live = versions.map((version) => version.liveAt(now));
  const weights = live.some((count) => count > 0)
    ? live
    : versions.map(({ instances }) => instances.length);
  let drawn = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    drawn -= weight;
    if (drawn < 0) return versions[index];
  }
  return versions[0];
}

/** Prefixes do not overlap (the directory's signer refuses that), so the first that fits is the only one. */
class PrefixNode {
  private readonly children = new Map<string, PrefixNode>();
  private service: ServedService | undefined;

  insert(prefix: string, service: ServedService): void {
    this.descend(prefix.split('/').filter((part) => part !== '')).service ??= service;
  }

  find(path: string, end: number, start = 1): ServedService | undefined {
    if (this.service !== undefined || start > end) return this.service;
    const slash = path.indexOf('/', start);
    const stop = slash < 0 || slash > end ? end : slash;
    return this.children.get(path.slice(start, stop))?.find(path, end, stop + 1);
  }

  private descend([segment, ...rest]: string[]): PrefixNode {
    if (segment === undefined) return this;
    let child = this.children.get(segment);
    if (child === undefined) this.children.set(segment, (child = new PrefixNode()));
    return child.descend(rest);
  }
}
