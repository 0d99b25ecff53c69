import { Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

/** What the guards count. */
@Injectable()
export class GuardMetrics {
  readonly denials;
  readonly auditOverflow;
  readonly auditRefused;
  readonly auditFailures;

  constructor(private readonly metrics: Metrics) {
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
  }

  /** Reads the views at each scrape. */
  watch(views: () => Record<string, { staleness: number; items: number }>): void {
    this.metrics.readGauge(
      'guards_view_staleness_seconds',
      'Seconds since the source of a view was last heard',
      ['view'],
      (show) => {
        for (const [view, { staleness }] of Object.entries(views()))
          show(staleness / 1000, { view });
      },
    );
    this.metrics.readGauge('guards_view_items', 'Items a view holds', ['view'], (show) => {
      for (const [view, { items }] of Object.entries(views())) show(items, { view });
    });
  }

  /** Reads the buffer at each scrape. */
  watchBuffer(size: () => number): void {
    this.metrics.readGauge(
      'audit_buffer_entries',
      'Audit entries that wait to be handed to Audit',
      [],
      (show) => show(size()),
    );
  }
}
