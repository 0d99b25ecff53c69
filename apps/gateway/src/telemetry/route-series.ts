/** Upper bounds of the duration histogram, in seconds. */
export const DURATION_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** One histogram: how many answers of one status a route gave, and how long they took. */
export interface StatusSeries {
  count: number;
  sum: number;
  /** Not cumulative: one count a bucket, the last for everything above. */
  readonly buckets: Float64Array;
}

/**
 * The duration histogram of one route, a series a status. Counting is two array writes; the labels are put together
 * when they are scraped. Bounded by the routes of verified manifests and the statuses of HTTP.
 */
export class RouteSeries {
  readonly byStatus = new Map<number, StatusSeries>();

  constructor(
    readonly service: string,
    readonly method: string,
    /** The template, never the path: `/v1/users/{id}`. */
    readonly route: string,
  ) {}

  observe(status: number, milliseconds: number): void {
    let series = this.byStatus.get(status);
    if (series === undefined) {
      series = { count: 0, sum: 0, buckets: new Float64Array(DURATION_BUCKETS.length + 1) };
      this.byStatus.set(status, series);
    }
    const seconds = milliseconds / 1_000;
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > (DURATION_BUCKETS[bucket] as number)) {
      bucket++;
    }
    series.buckets[bucket] = (series.buckets[bucket] as number) + 1;
    series.count++;
    series.sum += seconds;
  }
}
