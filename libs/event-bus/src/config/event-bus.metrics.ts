import { Metrics, startAtZero } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

const OUTCOMES = ['handled', 'duplicate', 'held', 'ignored', 'tombstone', 'foreign', 'dropped'];

/** What the bus of a service counts. */
@Injectable()
export class EventBusMetrics {
  readonly published;
  readonly relayed;
  readonly relayFailures;
  readonly relayRefusals;
  readonly outboxDepth;
  readonly outboxOldest;
  readonly taken;
  readonly failed;
  readonly retried;
  readonly duration;
  readonly lag;
  readonly deadLetters;
  readonly parkedKeys;
  private readonly sendLag;
  private readonly consumers = new Set<string>();

  constructor(metrics: Metrics) {
    this.published = metrics.counter(
      'event_bus_published_total',
      'Events published: committed with their transaction, or taken into the buffer of a service without a database',
      ['type'],
    );
    this.relayed = metrics.counter(
      'event_bus_outbox_relayed_total',
      'Outbox rows taken by the sink of their channel',
      ['channel'],
    );
    this.relayFailures = metrics.counter(
      'event_bus_outbox_relay_failures_total',
      'Batches the sink of a channel did not take',
      ['channel'],
    );
    this.relayRefusals = metrics.counter(
      'event_bus_outbox_refused_total',
      'Outbox rows the sink of a channel refused for good; they are dead letters of consumer outbox:<channel>',
      ['channel'],
    );
    this.outboxDepth = metrics.gauge(
      'event_bus_outbox_depth',
      'Rows waiting in the outbox, counted up to 10,000',
      ['channel'],
    );
    this.outboxOldest = metrics.gauge(
      'event_bus_outbox_oldest_age_seconds',
      'Age of the oldest row in the outbox',
      ['channel'],
    );
    this.taken = metrics.counter(
      'event_bus_consumed_total',
      'Events a consumer is done with, by outcome: handled, duplicate, held, ignored, tombstone, foreign, dropped',
      ['consumer', 'outcome'],
    );
    this.failed = metrics.counter('event_bus_handler_failures_total', 'Tries that failed', [
      'consumer',
    ]);
    this.retried = metrics.counter('event_bus_retries_total', 'Tries after the first', [
      'consumer',
    ]);
    this.duration = metrics.histogram(
      'event_bus_handler_duration_seconds',
      'Time of one try, its transaction included',
      ['consumer'],
    );
    this.lag = metrics.gauge(
      'event_bus_consumer_lag',
      'Records appended and not yet settled, of the partitions this instance owns',
      ['consumer', 'topic'],
    );
    this.deadLetters = metrics.gauge(
      'event_bus_dead_letters',
      'Events that wait for a replay or a discard, in the whole service',
      ['consumer'],
    );
    this.parkedKeys = metrics.gauge(
      'event_bus_parked_keys',
      'Keys whose events wait, for a next try or an operator, in the whole service',
      ['consumer'],
    );
    this.sendLag = metrics.seriesHistogram(
      'event_bus_outbox_send_lag_seconds',
      'Time from the transaction of a row to when the sink of its channel had taken it',
      ['channel'],
    );
  }

  /** Rows of a channel were taken by its sink. */
  sent(channel: string, rows: readonly { since: number }[]): void {
    this.relayed.inc({ channel }, rows.length);
    const now = performance.now();
    const lag = this.sendLag.series(channel);
    for (const { since } of rows) lag.observe(Math.max(0, now - since) / 1000);
  }

  /** From now on its counters are shown. */
  knowChannel(channel: string): void {
    for (const counter of [this.relayed, this.relayFailures, this.relayRefusals])
      startAtZero(counter, { channel: [channel] });
    this.sendLag.series(channel);
    this.knowConsumer(`outbox:${channel}`);
  }

  /** From now on its counters are shown, and its dead letters and parked keys as none. */
  knowConsumer(consumer: string): void {
    startAtZero(this.taken, { consumer: [consumer], outcome: OUTCOMES });
    for (const counter of [this.failed, this.retried])
      startAtZero(counter, { consumer: [consumer] });
    this.duration.zero({ consumer });
    this.consumers.add(consumer);
  }

  knowTypes(types: readonly string[]): void {
    startAtZero(this.published, { type: types });
  }

  /** What waits, by consumer, as the tables have it now. */
  held(counts: readonly { consumer: string; dead: number; keys: number }[]): void {
    this.deadLetters.reset();
    this.parkedKeys.reset();
    for (const consumer of this.consumers) {
      this.deadLetters.set({ consumer }, 0);
      this.parkedKeys.set({ consumer }, 0);
    }
    for (const { consumer, dead, keys } of counts) {
      this.deadLetters.set({ consumer }, dead);
      this.parkedKeys.set({ consumer }, keys);
    }
  }

  /** The tables cannot be read: what they held may be so no more, and is shown as not a number. */
  unknown(channels: readonly string[]): void {
    for (const channel of channels) {
      this.outboxDepth.set({ channel }, NaN);
      this.outboxOldest.set({ channel }, NaN);
    }
    for (const consumer of this.consumers) {
      this.deadLetters.set({ consumer }, NaN);
      this.parkedKeys.set({ consumer }, NaN);
    }
  }
}
