import type { Metrics } from '@gatehouse/kernel';
import type { GatewayPipeline } from '../front/gateway.pipeline.ts';
import type { Upgrader } from '../forward/upgrader.ts';
import type { RouteSync } from '../routing/route-sync.ts';

export interface Observed {
  pipeline: Pick<GatewayPipeline, 'inFlight' | 'maxInFlight' | 'shed'>;
  upgrader: Pick<Upgrader, 'size'>;
  sync: Pick<RouteSync, 'table' | 'failures'>;
}

/** The gateway's load and routes, read when they are scraped: the hot path counts nothing for them. */
export function publishGauges(metrics: Metrics, { pipeline, upgrader, sync }: Observed): void {
  const simple: [name: string, help: string, read: () => number][] = [
    ['gateway_requests_in_flight', 'Requests in hand', () => pipeline.inFlight],
    ['gateway_requests_in_flight_max', 'Requests in hand at most', () => pipeline.maxInFlight],
    ['gateway_upgraded_connections', 'WebSocket connections open', () => upgrader.size],
    ['gateway_manifests_unread', 'Manifests that cannot be had', () => sync.failures().length],
  ];
  for (const [name, help, read] of simple) {
    metrics.readGauge(name, help, [], (show) => show(read()));
  }
  metrics.readCounter(
    'gateway_requests_shed_total',
    'Requests refused because too many were in hand',
    [],
    (show) => show(pipeline.shed),
  );
  metrics.readGauge('gateway_routes', 'Routes that are served', ['upstream'], (show) => {
    for (const { name, versions } of sync.table.services) {
      const routes = versions.reduce((sum, version) => sum + version.routes.length, 0);
      show(routes, { upstream: name });
    }
  });
}
