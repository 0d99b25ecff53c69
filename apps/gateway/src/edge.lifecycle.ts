import { GrantView, KeySet, RevocationView } from '@gatehouse/guards';
import { Health, Lifecycle, Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';
import { Forwarder } from './forward/forwarder.ts';
import { Upgrader } from './forward/upgrader.ts';
import { GatewayPipeline } from './front/gateway.pipeline.ts';
import { RouteSync } from './routing/route-sync.ts';
import { publishGauges } from './telemetry/gateway-gauges.ts';
import { Refusals } from './telemetry/refusals.ts';
import { RequestMetrics } from './telemetry/request-metrics.ts';
import { publishUpstreams } from './telemetry/upstream-metrics.ts';
import { Upstreams } from './upstream/upstreams.ts';

/**
 * When the parts of the edge start and stop. The gateway alone is not ready before it has had the key set, the first
 * snapshots of revocations and grants, and the routes of what runs, once: until then it could only answer 503. Later it
 * stays ready without them, since the views themselves refuse beyond their bounds.
 */
@Injectable()
export class EdgeLifecycle {
  constructor(
    lifecycle: Lifecycle,
    health: Health,
    metrics: Metrics,
    keys: KeySet,
    revocations: RevocationView,
    grants: GrantView,
    private readonly sync: RouteSync,
    private readonly upstreams: Upstreams,
    forwarder: Forwarder,
    upgrader: Upgrader,
    pipeline: GatewayPipeline,
    requests: RequestMetrics,
    refusals: Refusals,
  ) {
    lifecycle.onStart('transports', 'follow routes', () => sync.start());
    lifecycle.onStop('unready', 'ask clients to leave their connections', () => {
      forwarder.isClosing = true;
    });
    lifecycle.onStop('in-flight', 'upgraded connections', () => upgrader.closeAll());
    lifecycle.onStop('close', 'connections to services', () => this.close());
    const routes = { ready: () => sync.table.isComplete };
    for (const [name, view] of Object.entries({ keys, revocations, grants, routes })) {
      health.addReadiness(
        `first ${name}`,
        once(() => view.ready(), name),
      );
    }
    requests.publish();
    refusals.publish(metrics);
    publishGauges(metrics, { pipeline, upgrader, sync });
    publishUpstreams(metrics, upstreams);
  }

  private async close(): Promise<void> {
    this.sync.stop();
    await this.upstreams.close();
  }
}

function once(isThere: () => boolean, name: string): () => void {
  let wasThere = false;
  return () => {
    wasThere ||= isThere();
    if (!wasThere) throw new Error(`${name} have not been had yet`);
  };
}
