/** The trace of one observation, so that who looks at a slow bucket finds a request that fell into it. */
export interface Exemplar {
  traceId: string;
  value: number;
  /** Seconds since the epoch. */
  timestamp: number;
}

/**
 * One series of a `SeriesHistogram`, held by whoever observes. Observing is two array writes: nothing is allocated, no
 * labels are compared.
 */
export class HistogramSeries {
  count = 0;
  sum = 0;
  /** Not cumulative: one count a bucket, the last for everything above. */
  readonly counts: Float64Array;
  /** The latest traced observation of each bucket. */
  readonly exemplars: (Exemplar | undefined)[];

  /** @param bounds upper bounds, ascending */
  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
    this.exemplars = new Array<Exemplar | undefined>(bounds.length + 1).fill(undefined);
  }

  /**
   * @param value in the unit of the bounds
   * @param traceId of a sampled trace; undefined where nobody could look it up
   */
  observe(value: number, traceId?: string): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.count++;
    this.sum += value;
    if (traceId !== undefined) this.keep(bucket, value, traceId);
  }

  private keep(bucket: number, value: number, traceId: string): void {
    const timestamp = Date.now() / 1000;
    const kept = this.exemplars[bucket];
    if (kept === undefined) this.exemplars[bucket] = { traceId, value, timestamp };
    else Object.assign(kept, { traceId, value, timestamp });
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.counts.fill(0);
    this.exemplars.fill(undefined);
  }
}
