import { Discovery } from '@gatehouse/discovery';
import { AdminRoute } from '@gatehouse/kernel';
import { Controller, Get } from '@nestjs/common';
import { RouteSync } from '../routing/route-sync.ts';
import { Upstreams } from '../upstream/upstreams.ts';

/** What the gateway knows and does, for operators; on the admin listener alone. */
@AdminRoute()
@Controller()
export class DiagnosticsController {
  constructor(
    private readonly sync: RouteSync,
    private readonly discovery: Discovery,
    private readonly upstreams: Upstreams,
  ) {}

  /** Every route that is served, and every one that is not, with the reason. */
  @Get('routes')
  routes() {
    const { services } = this.sync.table;
    return {
      services: services.map(({ name, prefixes, versions }) => ({
        service: name,
        prefixes,
        versions: versions.map((version) => ({
          digest: version.digest,
          version: version.manifest.version,
          instances: version.instances.length,
          routes: version.routes.map(({ declaration }) => declaration),
        })),
      })),
      refused: services.flatMap(({ versions }) => versions.flatMap(({ refused }) => refused)),
      unread: this.sync.failures().map(({ instanceId, ...failure }) => ({
        instance_id: instanceId,
        ...failure,
      })),
    };
  }

  /** Every instance that is verified, and every entry that is not, with the reason. */
  @Get('instances')
  instances() {
    return {
      instances: this.discovery.instances().map((instance) => ({
        service: instance.service,
        instance_id: instance.instanceId,
        version: instance.version,
        http_url: instance.httpUrl,
        grpc_address: instance.grpcAddress,
        manifest_digest: instance.manifestDigest,
        signed_at: instance.signedAt,
        expires_at: instance.expiresAt,
      })),
      rejected: this.discovery.rejected().map(({ entry, reason, message }) => ({
        service: entry.service,
        instance_id: entry.instanceId,
        reason,
        message,
      })),
    };
  }

  /** Which instances are in rotation, and how busy they are. */
  @Get('breakers')
  breakers() {
    const now = performance.now();
    return {
      breakers: this.upstreams.all().map((upstream) => ({
        service: upstream.service,
        instance_id: upstream.instanceId,
        url: upstream.url,
        state: upstream.circuit.state(now),
        failures_in_a_row: upstream.circuit.failuresInARow,
        times_ejected: upstream.circuit.timesEjected,
        in_flight: upstream.inFlight,
        sent: upstream.sent,
      })),
    };
  }
}
