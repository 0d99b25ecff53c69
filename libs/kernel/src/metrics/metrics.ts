import { Counter, Gauge, Histogram, type Metric, register } from 'prom-client';

/** Seconds, from half a millisecond to ten seconds. */
export const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * The service's metrics, on prom-client's default registry, served at `/metrics` of the admin listener. Asking for a name
 * again returns the metric that exists. Keep labels few and bounded: a route template, never a path.
 */
export class Metrics {
  counter<L extends string>(name: string, help: string, labels: readonly L[] = []): Counter<L> {
    return (
      (existing(name) as Counter<L> | undefined) ??
      new Counter({ name, help, labelNames: [...labels] })
    );
  }

  gauge<L extends string>(name: string, help: string, labels: readonly L[] = []): Gauge<L> {
    return (
      (existing(name) as Gauge<L> | undefined) ?? new Gauge({ name, help, labelNames: [...labels] })
    );
  }

  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[] = [],
    buckets: readonly number[] = DURATION_BUCKETS,
  ): Histogram<L> {
    return (
      (existing(name) as Histogram<L> | undefined) ??
      new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets] })
    );
  }
}

function existing(name: string): Metric | undefined {
  return register.getSingleMetric(name);
}
