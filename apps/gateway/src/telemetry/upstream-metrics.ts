import type { Metrics } from '@gatehouse/kernel';
import type { CircuitState } from '../upstream/circuit.ts';
import type { UpstreamInstance } from '../upstream/upstream-instance.ts';
import type { Upstreams } from '../upstream/upstreams.ts';

/** As a number, so that a maximum over instances tells the worst. */
const STATES: Readonly<Record<CircuitState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Instances, their circuits and connections, read when they are scraped. */
export function publishUpstreams(
  metrics: Metrics,
  upstreams: Pick<Upstreams, 'all' | 'tallies' | 'connectionsPerInstance'>,
): void {
  const byUpstream = () => Map.groupBy(upstreams.all(), ({ service }) => service);

  metrics.readGauge(
    'gateway_upstream_instances',
    'Instances by the state of their circuit',
    ['upstream', 'state'],
    (show) => {
      const now = performance.now();
      for (const [upstream, instances] of byUpstream()) {
        const states = instances.map(({ circuit }) => circuit.state(now));
        for (const state of Object.keys(STATES)) {
          show(states.filter((each) => each === state).length, { upstream, state });
        }
      }
    },
  );
  metrics.readGauge(
    'gateway_upstream_circuit_state',
    'Circuit of an instance: 0 closed, 1 half-open, 2 open (left out as an outlier)',
    ['upstream', 'upstream_instance'],
    (show) => {
      const now = performance.now();
      for (const instance of upstreams.all())
        show(STATES[instance.circuit.state(now)], labelsOf(instance));
    },
  );
  metrics.readGauge(
    'gateway_upstream_requests_in_flight',
    'Requests sent to an instance and not answered yet',
    ['upstream', 'upstream_instance'],
    (show) => {
      for (const instance of upstreams.all()) show(instance.inFlight, labelsOf(instance));
    },
  );
  metrics.readGauge(
    'gateway_upstream_connections',
    'Open connections to the instances of a service, by state',
    ['upstream', 'state'],
    (show) => {
      for (const [upstream, instances] of byUpstream()) {
        const connected = sum(instances, ({ pool }) => pool.stats.connected);
        const idle = sum(instances, ({ pool }) => pool.stats.free);
        show(connected - idle, { upstream, state: 'used' });
        show(idle, { upstream, state: 'idle' });
      }
    },
  );
  metrics.readGauge(
    'gateway_upstream_connections_max',
    'Connections to the instances of a service at most',
    ['upstream'],
    (show) => {
      for (const [upstream, instances] of byUpstream())
        show(instances.length * upstreams.connectionsPerInstance, { upstream });
    },
  );
  metrics.readGauge(
    'gateway_upstream_pending_requests',
    'Requests that wait for a connection',
    ['upstream'],
    (show) => {
      for (const [upstream, instances] of byUpstream())
        show(
          sum(instances, ({ pool }) => pool.stats.pending + pool.stats.queued),
          { upstream },
        );
    },
  );
  for (const [event, help] of [
    ['ejections', 'How often an instance was left out because it failed'],
    ['retries', 'Requests sent again, to another instance where there is one'],
  ] as const) {
    metrics.readCounter(`gateway_upstream_${event}_total`, help, ['upstream'], (show) => {
      for (const [upstream, tally] of upstreams.tallies) show(tally[event], { upstream });
    });
  }
}

function labelsOf({ service, instanceId }: UpstreamInstance) {
  return { upstream: service, upstream_instance: instanceId };
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
