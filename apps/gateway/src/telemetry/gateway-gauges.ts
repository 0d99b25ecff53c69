import type { Metrics } from '@gatehouse/kernel';
import type { GatewayPipeline } from '../front/gateway.pipeline.ts';
import type { Upgrader } from '../forward/upgrader.ts';
import type { RouteSync } from '../routing/route-sync.ts';
import type { Upstreams } from '../upstream/upstreams.ts';

export interface Observed {
  pipeline: Pick<GatewayPipeline, 'inFlight' | 'shed'>;
  upgrader: Pick<Upgrader, 'size'>;
  sync: Pick<RouteSync, 'table' | 'failures'>;
  upstreams: Pick<Upstreams, 'all'>;
}

/** Gauges that are read when they are scraped: the hot path counts nothing for them. */
export function publishGauges(metrics: Metrics, observed: Observed): void {
  const { pipeline, upgrader, sync, upstreams } = observed;
  const simple: [name: string, help: string, read: () => number][] = [
    ['gateway_requests_in_flight', 'Requests in hand', () => pipeline.inFlight],
    [
      'gateway_requests_shed',
      'Requests refused because too many were in hand',
      () => pipeline.shed,
    ],
    ['gateway_upgraded_connections', 'WebSocket connections open', () => upgrader.size],
    ['gateway_manifests_unread', 'Manifests that cannot be had', () => sync.failures().length],
  ];
  for (const [name, help, read] of simple) {
    const gauge = metrics.gauge(name, help);
    Object.assign(gauge, { collect: () => gauge.set(read()) });
  }
  const routes = metrics.gauge('gateway_routes', 'Routes that are served', ['service']);
  Object.assign(routes, {
    collect: () => {
      routes.reset();
      for (const { name, versions } of sync.table.services) {
        for (const version of versions) routes.inc({ service: name }, version.routes.length);
      }
    },
  });
  const instances = metrics.gauge('gateway_upstream_instances', 'Instances by state', [
    'service',
    'state',
  ]);
  Object.assign(instances, {
    collect: () => {
      instances.reset();
      const now = performance.now();
      for (const { service, circuit } of upstreams.all()) {
        instances.inc({ service, state: circuit.state(now) });
      }
    },
  });
}
