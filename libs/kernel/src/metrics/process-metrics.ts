import { performance } from 'node:perf_hooks';

import { certificateExpiries } from '../config/certificates.ts';
import type { KernelConfig } from '../config/kernel.config.ts';
import type { ServiceInfo } from '../service/service-info.ts';
import type { Metrics } from './metrics.ts';

/** What every process shows beside prom-client's own metrics of Node (CPU, memory, garbage collection, event loop delay). */
export function publishProcessMetrics(
  metrics: Metrics,
  { name, version }: Pick<ServiceInfo, 'name' | 'version'>,
  { GATEHOUSE_COMMIT: commit }: Pick<KernelConfig, 'GATEHOUSE_COMMIT'>,
): void {
  metrics
    .gauge('gatehouse_build_info', 'What runs: always 1', ['service', 'version', 'commit'])
    .set({ service: name, version, commit }, 1);

  let last = performance.eventLoopUtilization();
  metrics.readGauge(
    'nodejs_eventloop_utilization_ratio',
    'Share of the time since the last scrape in which the event loop was not idle, 0 to 1',
    [],
    (show) => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      show(utilization);
    },
  );

  // As node_exporter's node_time_seconds: who scrapes compares it with a clock of its own, so that no other process is asked.
  metrics.readGauge(
    'process_clock_timestamp_seconds',
    'What time it is by the clock of this machine, in seconds since the epoch',
    [],
    (show) => show(Date.now() / 1000),
  );

  metrics.readGauge(
    'tls_certificate_not_after_timestamp_seconds',
    'When the first certificate of a configured variable expires, in seconds since the epoch',
    ['certificate'],
    (show) => {
      for (const [certificate, seconds] of certificateExpiries()) show(seconds, { certificate });
    },
  );
}
