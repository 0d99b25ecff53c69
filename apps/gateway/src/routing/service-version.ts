import type { Manifest } from '@gatehouse/contracts-platform';
import type { UpstreamInstance } from '../upstream/upstream-instance.ts';
import type { RetryBudget } from '../upstream/retry-budget.ts';
import type { Route } from './route.ts';
import { RouteNode } from './route-tree.ts';

/** A route of a manifest that is not served, and why. */
export interface RefusedRoute {
  service: string;
  digest: string;
  route: string;
  reason: string;
}

/** The instances of a service that serve one manifest, and its routes. A request never leaves it once it is chosen. */
export class ServiceVersion {
  readonly root = new RouteNode<Route>();
  readonly routes: Route[] = [];
  readonly refused: RefusedRoute[] = [];
  /** Replaced whole when instances come and go. */
  instances: readonly UpstreamInstance[] = [];

  constructor(
    readonly service: string,
    readonly digest: string,
    readonly manifest: Manifest,
    readonly budget: RetryBudget,
  ) {}

  add(route: Route): void {
    this.routes.push(route);
    this.root.insert(route.declaration.method, route.declaration.path, route);
  }

  /** Instances that may be sent to now. */
  liveAt(now: number): number {
    let live = 0;
    for (const instance of this.instances) if (instance.isAvailable(now)) live++;
    return live;
  }
}
