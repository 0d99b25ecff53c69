import { Counter, Gauge, Histogram, register } from 'prom-client';

/** Seconds, from half a millisecond to ten seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * The service's metrics, on prom-client's default registry, served at `/metrics` of the admin listener. Asking for a name
 * again returns the metric that exists; a name of another kind of metric is refused. Keep labels few and bounded: a route
 * template, never a path.
 */
export class Metrics {
  counter<L extends string>(name: string, help: string, labels: readonly L[] = []): Counter<L> {
    const known = register.getSingleMetric(name);
    if (known instanceof Counter) return known;
    return new Counter({ name, help, labelNames: [...labels] });
  }

  gauge<L extends string>(name: string, help: string, labels: readonly L[] = []): Gauge<L> {
    const known = register.getSingleMetric(name);
    if (known instanceof Gauge) return known;
    return new Gauge({ name, help, labelNames: [...labels] });
  }

  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[] = [],
    buckets: readonly number[] = DURATION_BUCKETS,
  ): Histogram<L> {
    const known = register.getSingleMetric(name);
    if (known instanceof Histogram) return known;
    return new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets] });
  }
}
