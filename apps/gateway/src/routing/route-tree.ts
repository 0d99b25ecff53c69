/**
 * A radix tree over path segments: literal segments win over parameters, and a branch that ends without a route for
 * the method is left for the next one, exactly as the services' own router (find-my-way) does. Edge and service must
 * choose the same route, or the edge would enforce one policy and the service run another handler.
 */
export class RouteNode<R> {
  private readonly literals = new Map<string, RouteNode<R>>();
  private parameter: RouteNode<R> | undefined;
  private readonly routes = new Map<string, R>();

  /** @param path `/v1/users/{id}`: literal segments and whole-segment parameters. */
  insert(method: string, path: string, route: R): void {
    const leaf = segmentsOf(path).reduce<RouteNode<R>>((node, segment) => {
      return isParameter(segment) ? (node.parameter ??= new RouteNode()) : node.literal(segment);
    }, this);
    leaf.routes.set(method, route);
  }

  /** The route of a canonical path that ends at `end`, or undefined. Allocates nothing but the segments' strings. */
  find(method: string, path: string, end: number): R | undefined {
    return this.search(method, path, 1, end);
  }

  /** Methods of every route that matches the path, sorted; empty where none does. */
  methodsAt(path: string, end: number): string[] {
    const methods = new Set<string>();
    this.collect(path, 1, end, methods);
    return [...methods].sort();
  }

  private search(method: string, path: string, start: number, end: number): R | undefined {
    if (start > end) return this.routes.get(method);
    const stop = segmentEnd(path, start, end);
    // An empty segment (a trailing slash) matches nothing, a parameter least of all.
    if (stop === start) return end === 1 ? this.routes.get(method) : undefined;
    const literal = this.literals.get(path.slice(start, stop));
    return (
      literal?.search(method, path, stop + 1, end) ??
      this.parameter?.search(method, path, stop + 1, end)
    );
  }

  private collect(path: string, start: number, end: number, into: Set<string>): void {
    const stop = start > end ? start : segmentEnd(path, start, end);
    if (start > end || (stop === start && end === 1)) {
      for (const method of this.routes.keys()) into.add(method);
      return;
    }
    if (stop === start) return;
    this.literals.get(path.slice(start, stop))?.collect(path, stop + 1, end, into);
    this.parameter?.collect(path, stop + 1, end, into);
  }

  private literal(segment: string): RouteNode<R> {
    let node = this.literals.get(segment);
    if (node === undefined) this.literals.set(segment, (node = new RouteNode()));
    return node;
  }
}

function segmentEnd(path: string, start: number, end: number): number {
  const slash = path.indexOf('/', start);
  return slash < 0 || slash > end ? end : slash;
}

function segmentsOf(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}');
}

/** Position of `{name}` among the segments of a template, or -1. */
export function parameterIndex(template: string, name: string): number {
  return segmentsOf(template).indexOf(`{${name}}`);
}

/** The decoded segment at a position of a canonical path, or undefined where the path is shorter. */
export function segmentAt(path: string, end: number, position: number): string | undefined {
  const segment = path.slice(1, end).split('/')[position];
  return segment?.includes('%') ? decodeURIComponent(segment) : segment;
}
