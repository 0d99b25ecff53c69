import { Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

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

  constructor(metrics: Metrics) {
    this.published = metrics.counter(
      'event_bus_published_total',
      'Events committed with their transaction',
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
  }
}
