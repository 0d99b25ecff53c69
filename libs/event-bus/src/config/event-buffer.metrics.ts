import { Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

/** Why an event was published and never sent: no room, refused by the broker for good, the process ended first. */
export type DropReason = 'overflow' | 'refused' | 'stopped';

/** What the buffer of a service without a database counts. */
@Injectable()
export class EventBufferMetrics {
  readonly dropped;
  readonly failures;

  constructor(private readonly metrics: Metrics) {
    this.dropped = metrics.counter(
      'event_bus_buffer_dropped_total',
      'Events that were never sent: overflow (their publisher was told), refused, stopped',
      { reason: ['overflow', 'refused', 'stopped'] satisfies DropReason[] },
    );
    this.failures = metrics.counter(
      'event_bus_buffer_send_failures_total',
      'Batches that the broker did not take; they are sent again',
    );
  }

  /** Shows how many events wait to be sent. */
  watch(size: () => number): void {
    const name = 'event_bus_buffer_events';
    this.metrics.readGauge(name, 'Events that wait for the broker', [], (show) => show(size()));
  }
}
