import { Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

/** What the guards count. */
@Injectable()
export class GuardMetrics {
  readonly denials;
  readonly auditOverflow;
  readonly auditRefused;
  readonly auditFailures;
  private readonly staleness;
  private readonly held;

  constructor(metrics: Metrics) {
    this.denials = metrics.counter(
      'guards_denials_total',
      'Calls refused for want of a permission',
      ['operation', 'code'],
    );
    this.auditOverflow = metrics.counter(
      'audit_buffer_overflow_total',
      'Audit entries dropped because the buffer was full',
    );
    this.auditRefused = metrics.counter(
      'audit_entries_refused_total',
      'Audit entries that Audit refused as invalid',
    );
    this.auditFailures = metrics.counter(
      'audit_record_failures_total',
      'Audit entries that could not be written after the fact',
    );
    this.staleness = metrics.gauge(
      'guards_view_staleness_seconds',
      'Seconds since the source of a view was last heard',
      ['view'],
    );
    this.held = metrics.gauge('guards_view_items', 'Items a view holds', ['view']);
  }

  /** Reads the views at each scrape. */
  watch(views: () => Record<string, { staleness: number; items: number }>): void {
    const { staleness, held } = this;
    // prom-client calls a metric's `collect` at each scrape; a metric that exists already has none.
    Object.assign(staleness, {
      collect: () => {
        for (const [view, facts] of Object.entries(views())) {
          staleness.set({ view }, facts.staleness / 1000);
          held.set({ view }, facts.items);
        }
      },
    });
  }
}
