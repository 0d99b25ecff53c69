import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { register } from 'prom-client';
import { DURATION_BUCKETS, RouteSeries } from './route-series.ts';

const NAME = 'gateway_request_duration_seconds';
const HELP = 'Time from the head of a request to the end of its answer, by route template';

/**
 * `gateway_request_duration_seconds{service,http_route,http_request_method,http_response_status_code}`: counted in
 * place by `RouteSeries`, put together when it is scraped. The series of a route outlives its manifests, so that a
 * rolling upgrade does not set counters back.
 */
export class RequestMetrics {
  private readonly series = new Map<string, RouteSeries>();
  /** Of requests that match no route: one series, whatever they ask for. */
  readonly unmatched = this.seriesOf('gateway', 'OTHER', 'unmatched');

  seriesOf(service: string, method: string, route: string): RouteSeries {
    const key = `${service} ${method} ${route}`;
    let series = this.series.get(key);
    if (series === undefined) {
      series = new RouteSeries(service, method, route);
      this.series.set(key, series);
    }
    return series;
  }

  /** Makes it part of what `/metrics` shows. */
  publish(name = NAME): void {
    register.removeSingleMetric(name);
    const metric = {
      name,
      help: HELP,
      type: 'histogram' as const,
      get: () => Promise.resolve(this.read(name)),
      reset: () => this.series.forEach(({ byStatus }) => byStatus.clear()),
    };
    register.registerMetric(metric as unknown as Parameters<typeof register.registerMetric>[0]);
  }

  private read(name: string): Omit<MetricObjectWithValues<MetricValue<string>>, 'collect'> {
    const values: (MetricValue<string> & { metricName: string })[] = [];
    for (const series of this.series.values()) {
      for (const [status, { buckets, count, sum }] of series.byStatus) {
        const labels = {
          service: series.service,
          http_route: series.route,
          http_request_method: series.method,
          http_response_status_code: String(status),
        };
        let below = 0;
        for (const [index, le] of [...DURATION_BUCKETS, '+Inf'].entries()) {
          below += buckets[index] ?? 0;
          values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below });
        }
        values.push({ metricName: `${name}_sum`, labels, value: sum });
        values.push({ metricName: `${name}_count`, labels, value: count });
      }
    }
    return { name, help: HELP, type: 'histogram' as never, values, aggregator: 'sum' };
  }
}
