import { Counter, Gauge, Histogram, type Metric, register } from 'prom-client';

import { SeriesHistogram } from './series-histogram.ts';
import { startAtZero } from './start-at-zero.ts';

/** Seconds, from half a millisecond to ten seconds. */
export const DURATION_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Label names; or with each name the values it can have, and every combination is shown from the start, at 0. */
export type CounterLabels<L extends string> = readonly L[] | Readonly<Record<L, readonly string[]>>;

/** Shows one value; `labels` for a metric that has labels. */
export type Show<L extends string> = (value: number, labels?: Record<L, string>) => void;

/**
 * The service's metrics, on prom-client's default registry, served at `/metrics` of the admin listener. Asking for a name
 * again returns the metric that exists; a name of another kind of metric is refused. Keep labels few and bounded: a route
 * template, never a path. No label is called `service`, `instance` or `job`: those say where a series was scraped.
 *
 * `read...` are for what is counted or known elsewhere: nothing is done for them but at a scrape. A reader that throws, or
 * whose promise takes too long, leaves its metric out of that scrape.
 */
export class Metrics {
  counter<L extends string>(name: string, help: string, labels: CounterLabels<L> = []): Counter<L> {
    const known = register.getSingleMetric(name);
    const counter =
      known instanceof Counter
        ? (known as Counter<L>)
        : new Counter<L>({ name, help, labelNames: namesOf(labels) });
    if (!isNames(labels)) startAtZero(counter, labels);
    return counter;
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

  /** For what every request passes: see `SeriesHistogram`. */
  seriesHistogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[] = DURATION_BUCKETS,
  ): SeriesHistogram<L> {
    const known: unknown = register.getSingleMetric(name);
    if (known instanceof SeriesHistogram) return known as SeriesHistogram<L>;
    const histogram = new SeriesHistogram(name, help, labels, buckets);
    register.registerMetric(histogram as unknown as Metric<L>);
    return histogram;
  }

  /** Shows a histogram that whoever counts has made; one of that name that was shown before goes. */
  show(histogram: SeriesHistogram): void {
    register.removeSingleMetric(histogram.name);
    register.registerMetric(histogram as unknown as Metric);
  }

  /** Where two parts of a process read one name (two services in one process, in tests), the later one is shown. */
  readGauge<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    read: (show: Show<L>) => void | Promise<void>,
  ): void {
    const gauge = this.gauge(name, help, labels);
    const collect = () => {
      gauge.reset();
      return read((value, of) => (of === undefined ? gauge.set(value) : gauge.set(of, value)));
    };
    Object.assign(gauge, { collect });
  }

  /** As `readGauge`, of what only grows. */
  readCounter<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    read: (show: Show<L>) => void | Promise<void>,
  ): void {
    const counter = this.counter(name, help, labels);
    const collect = () => {
      counter.reset();
      return read((value, of) => (of === undefined ? counter.inc(value) : counter.inc(of, value)));
    };
    Object.assign(counter, { collect });
  }
}

function isNames<L extends string>(labels: CounterLabels<L>): labels is readonly L[] {
  return Array.isArray(labels);
}

function namesOf<L extends string>(labels: CounterLabels<L>): L[] {
  return isNames(labels) ? [...labels] : (Object.keys(labels) as L[]);
}
