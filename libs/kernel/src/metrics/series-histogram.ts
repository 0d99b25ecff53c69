import type { MetricObjectWithValues, MetricValue } from 'prom-client';

import { type Exemplar, HistogramSeries } from './histogram-series.ts';

interface Sample extends MetricValue<string> {
  metricName: string;
  exemplar?: { labelSet: { trace_id: string }; value: number; timestamp: number };
}

/**
 * A histogram for paths that run for every request: its series count in place and keep the trace of a sampled
 * observation (an OpenMetrics exemplar); text is made of them when they are scraped. prom-client's own histogram puts a
 * key together of the labels at each observation.
 */
export class SeriesHistogram<L extends string = string> {
  /** As prom-client names the kind of a metric. */
  readonly type = 'histogram';
  readonly #series = new Map<string, { labels: Record<string, string>; series: HistogramSeries }>();

  constructor(
    readonly name: string,
    readonly help: string,
    private readonly labelNames: readonly L[],
    private readonly buckets: readonly number[],
  ) {}

  /** The series of these values, in the order of the label names. It is shown from now on, at 0. */
  series(...values: Record<L, string>[L][]): HistogramSeries {
    const key = values.join('\n');
    let known = this.#series.get(key);
    if (known === undefined) {
      const labels = Object.fromEntries(
        this.labelNames.map((name, index) => [name, values[index] ?? '']),
      );
      known = { labels, series: new HistogramSeries(this.buckets) };
      this.#series.set(key, known);
    }
    return known.series;
  }

  /** What prom-client reads at a scrape. */
  get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    const values: Sample[] = [];
    for (const { labels, series } of this.#series.values()) {
      let below = 0;
      for (const [index, le] of [...this.buckets, '+Inf'].entries()) {
        below += series.counts[index] ?? 0;
        values.push({
          metricName: `${this.name}_bucket`,
          labels: { ...labels, le },
          value: below,
          ...exemplarOf(series.exemplars[index]),
        });
      }
      values.push({ metricName: `${this.name}_sum`, labels, value: series.sum });
      values.push({ metricName: `${this.name}_count`, labels, value: series.count });
    }
    const { name, help, type } = this;
    return Promise.resolve({ name, help, type, values, aggregator: 'sum' } as never);
  }

  /** Sets every series to 0; who holds one may go on with it. */
  reset(): void {
    for (const { series } of this.#series.values()) series.reset();
  }
}

function exemplarOf(kept: Exemplar | undefined): Pick<Sample, 'exemplar'> {
  if (kept === undefined) return {};
  const { traceId, value, timestamp } = kept;
  return { exemplar: { labelSet: { trace_id: traceId }, value, timestamp } };
}
