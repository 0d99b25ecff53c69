import { DURATION_BUCKETS, SeriesHistogram } from '@gatehouse/kernel';
import { type Metric, register } from 'prom-client';
import { RouteSeries } from './route-series.ts';

const NAME = 'gateway_request_duration_seconds';
const HELP = 'Time from the head of a request to the end of its answer, by route template';

/**
 * `gateway_request_duration_seconds{upstream,http_request_method,http_route,status_class}`. The series of a route outlives
 * its manifests, so that a rolling upgrade does not set counters back.
 */
export class RequestMetrics {
  private readonly histogram = new SeriesHistogram(
    NAME,
    HELP,
    ['upstream', 'http_request_method', 'http_route', 'status_class'],
    DURATION_BUCKETS,
  );
  private readonly routes = new Map<string, RouteSeries>();
  /** Of requests that match no route: one series, whatever they ask for. */
  readonly unmatched = this.seriesOf('gateway', '_OTHER', 'unmatched');

  constructor() {
    // So that a sum of the answers of a class is there before the first of them.
    for (const statusClass of ['2xx', '4xx', '5xx'])
      this.histogram.series('gateway', '_OTHER', 'unmatched', statusClass);
  }

  seriesOf(service: string, method: string, route: string): RouteSeries {
    const key = `${service} ${method} ${route}`;
    let series = this.routes.get(key);
    if (series === undefined) {
      series = new RouteSeries((statusClass) =>
        this.histogram.series(service, method, route, statusClass),
      );
      this.routes.set(key, series);
    }
    return series;
  }

  /** Makes it part of what `/metrics` shows. */
  publish(): void {
    register.removeSingleMetric(NAME);
    register.registerMetric(this.histogram as unknown as Metric);
  }
}
