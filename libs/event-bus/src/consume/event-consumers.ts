import type { CloudEvent } from '@gatehouse/contracts-platform';
import { parseTraceparent, requestContext, ServiceInfo } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import {
  type BrokerRecord,
  EventBroker,
  type RecordBatch,
  type Subscription,
} from '../broker/event-broker.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { Broadcast } from './broadcast.ts';
import type { Consumer } from './consumer.ts';
import { ConsumerRegistry } from './consumer.registry.ts';
import { deliveryOf } from './delivery.ts';
import { eventContext } from './event-context.ts';
import { GroupTaker } from './group-taker.ts';
import { inLanes, Slots } from './in-lanes.ts';
import { readRecord } from './read-record.ts';

interface Running {
  consumer: Consumer;
  subscription: Subscription;
}

/**
 * The consumers of the service at work: a subscription each, whose group is `<service>.<consumer>`. Events of one key are
 * taken one after the other, those of different keys side by side.
 */
@Injectable()
export class EventConsumers {
  private readonly logger = new Logger(EventConsumers.name);
  private readonly running: Running[] = [];
  /** Ownerships whose first records were seen to be taken: what a process had in hand when it ended lies before. */
  private readonly past = new WeakSet<AbortSignal>();

  constructor(
    private readonly broker: EventBroker,
    private readonly registry: ConsumerRegistry,
    private readonly group: GroupTaker,
    private readonly broadcast: Broadcast,
    private readonly service: ServiceInfo,
    private readonly config: EventBusConfig,
    private readonly metrics: EventBusMetrics,
  ) {}

  /**
   * All at once: a group that begins lets its first member wait for others (`group.initial.rebalance.delay.ms`).
   * @throws the first failure, when each has joined or failed
   */
  async start(): Promise<void> {
    const starts = await Promise.allSettled(
      this.registry.all().map(async (consumer) => {
        this.metrics.knowConsumer(consumer.name);
        const subscription = await this.subscribe(consumer);
        this.running.push({ consumer, subscription });
      }),
    );
    const failed = starts.find((start) => start.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async stop(): Promise<void> {
    const running = this.running.splice(0);
    await Promise.all(running.map(({ subscription }) => subscription.stop()));
  }

  /** @throws when a consumer has ended and only a restart of the process brings it back */
  checkAlive(): void {
    for (const { consumer, subscription } of this.running) {
      const failure = subscription.failure();
      if (failure) throw new Error(`Consumer ${consumer.name} has ended: ${failure.message}`);
    }
  }

  /** What this instance has yet to take, by consumer and topic. */
  measureLag(): void {
    this.metrics.lag.reset();
    for (const { consumer, subscription } of this.running) {
      for (const topic of consumer.topics)
        this.metrics.lag.set({ consumer: consumer.name, topic }, 0);
      for (const { topic, lag } of subscription.lag()) {
        this.metrics.lag.inc({ consumer: consumer.name, topic }, Number(lag));
      }
    }
  }

  private subscribe(consumer: Consumer): Promise<Subscription> {
    const slots = new Slots(this.config.EVENT_CONCURRENCY);
    return this.broker.subscribe({
      ...(consumer.mode === 'group' && { group: `${this.service.name}.${consumer.name}` }),
      topics: consumer.topics,
      onBatch: (batch) => this.takeBatch(consumer, batch, slots),
    });
  }

  private async takeBatch(consumer: Consumer, batch: RecordBatch, slots: Slots): Promise<void> {
    const counted = !this.past.has(batch.signal);
    const outcomes = new Set<string>();
    await inLanes(
      batch.records,
      (record) => record.key,
      (record) =>
        slots.use(async () => {
          if (batch.signal.aborted) return;
          const outcome = await this.takeRecord(consumer, record, batch.signal, counted);
          outcomes.add(outcome);
          this.metrics.taken.inc({ consumer: consumer.name, outcome });
          batch.settle(record);
          await batch.heartbeat();
        }),
    );
    // Repeats alone may go on for more than one batch: offsets follow after effects.
    if (outcomes.has('handled') || outcomes.has('held')) this.past.add(batch.signal);
  }

  private async takeRecord(
    consumer: Consumer,
    record: BrokerRecord,
    signal: AbortSignal,
    counted: boolean,
  ): Promise<string> {
    const reading = readRecord(record);
    switch (reading.kind) {
      case 'tombstone':
        return 'tombstone';
      case 'foreign':
        this.logger.error(
          { topic: record.topic, partition: record.partition, source: reading.source },
          'An event came from a service that does not own the topic',
        );
        return 'foreign';
      case 'unreadable':
        return consumer.mode === 'broadcast'
          ? this.broadcast.drop(consumer, record, reading.error)
          : this.group.hold(deliveryOf(consumer.name, record), reading.error);
      case 'event': {
        const handler = consumer.handlers.get(reading.event.type);
        if (!handler) return 'ignored';
        const began = performance.now();
        const outcome =
          consumer.mode === 'broadcast'
            ? await this.broadcast.take(consumer, record, reading.event, handler)
            : await this.group[counted ? 'takeCounted' : 'take']({
                delivery: deliveryOf(consumer.name, record, reading.event),
                event: reading.event,
                handler,
                signal,
              });
        this.logTaken(consumer, reading.event, outcome, performance.now() - began);
        return outcome;
      }
    }
  }

  /** One line an event, as there is one a request, in the trace of what caused it. Broadcasts are of no news to people. */
  private logTaken(consumer: Consumer, event: CloudEvent, outcome: string, ms: number): void {
    const line = {
      consumer: consumer.name,
      event_id: event.id,
      event_type: event.type,
      outcome,
      duration_ms: Math.round(ms * 100) / 100,
    };
    // Beside the handler's own span, so under the one that published.
    const trace = parseTraceparent(event.traceparent);
    const context = { ...eventContext(event, 0), ...(trace && { trace }) };
    requestContext.run(context, () => {
      this.logger[consumer.mode === 'broadcast' ? 'debug' : 'log'](line, 'event taken');
    });
  }
}
