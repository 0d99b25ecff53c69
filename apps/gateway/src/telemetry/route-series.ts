import type { HistogramSeries } from '@gatehouse/kernel';

/** The duration series of one route, one a class of status (`2xx`). Bounded by the routes of verified manifests. */
export class RouteSeries {
  private readonly byClass: (HistogramSeries | undefined)[] = [];

  /** @param open makes the series of a class of status when its first answer comes */
  constructor(private readonly open: (statusClass: string) => HistogramSeries) {}

  /** @param traceId of a sampled trace */
  observe(status: number, milliseconds: number, traceId?: string): void {
    const kind = Math.floor(status / 100);
    const series = (this.byClass[kind] ??= this.open(`${kind}xx`));
    series.observe(milliseconds / 1_000, traceId);
  }
}
