import { type CloudEvent, type IntegrationEventType, topicOf } from '@gatehouse/contracts-platform';
import { formatTraceparent } from '@gatehouse/kernel';
import { Injectable, Logger } from '@nestjs/common';

import { backoff } from '../broker/backoff.ts';
import { EventBroker, RecordRefused } from '../broker/event-broker.ts';
import { Wake } from '../broker/wake.ts';
import { EventBufferConfig } from '../config/event-buffer.config.ts';
import { type DropReason, EventBufferMetrics } from '../config/event-buffer.metrics.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { EventSpans } from '../trace/event-spans.ts';
import { EventBufferFull } from './errors.ts';
import { EventDrafts, jsonOf } from './event-drafts.ts';
import { eventHeaders } from './event-headers.ts';
import { type EventInput, IntegrationEvents } from './integration-events.ts';

const MB = 1024 * 1024;
const BATCH = 500;
const RETRY_BASE_MS = 100;
const RETRY_MAX_MS = 5_000;

interface Waiting {
  event: CloudEvent;
  json: string;
  /** Bytes of the JSON. */
  size: number;
}

/**
 * For a service without a database: events wait in a bounded buffer in memory and are sent to the broker in the order in
 * which they were published, again and again until taken.
 *
 * - While the process lives an event that `publish` took is sent at least once, and of one key in order. A process that is
 *   killed takes what waits with it: what must not be lost belongs into a transaction, or to `Audit.Record`.
 * - There is no `sequence`, and instances know nothing of each other's order: one key in two instances has none.
 * - A full buffer refuses what comes next (EventBufferFull), and counts it.
 */
@Injectable()
export class BufferedIntegrationEvents extends IntegrationEvents {
  private readonly logger = new Logger(BufferedIntegrationEvents.name);
  private readonly waiting: Waiting[] = [];
  private readonly wake = new Wake();
  private bytes = 0;
  private running: Promise<void> | undefined;
  private drained: (() => void) | undefined;
  private flushing = false;
  private stopped = false;

  constructor(
    private readonly drafts: EventDrafts,
    private readonly broker: EventBroker,
    private readonly config: EventBufferConfig,
    private readonly metrics: EventBusMetrics,
    private readonly bufferMetrics: EventBufferMetrics,
    private readonly spans: EventSpans,
  ) {
    super();
    bufferMetrics.watch(() => this.waiting.length);
  }

  /** Takes an event: it is sent as soon as the broker takes it, in a transaction or not. */
  override publish<K extends IntegrationEventType>(type: K, event: EventInput<K>): void {
    const draft = this.drafts.draft(type, event);
    const span = this.spans.publishing(draft);
    if (span !== undefined) draft.traceparent = formatTraceparent(span.trace);
    try {
      const json = jsonOf(draft);
      this.add({ event: draft, json, size: Buffer.byteLength(json) });
    } catch (error) {
      span?.threw(error);
      throw error;
    } finally {
      span?.end();
    }
    this.metrics.published.inc({ type });
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Sends what waits, for a bounded time. What the broker does not take by then is logged and counted as dropped. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    if (this.running && this.waiting.length > 0) await this.flush();
    this.stopped = true;
    this.wake.ring();
    await this.running;
    const left = this.waiting.splice(0);
    this.bytes = 0;
    if (left.length === 0) return;
    this.drop('stopped', left.length);
    this.logger.error({ events: left.length }, 'The process ends with events that were not sent');
  }

  private add(waiting: Waiting): void {
    const { EVENT_BUFFER_SIZE, EVENT_BUFFER_MB } = this.config;
    const full =
      this.waiting.length >= EVENT_BUFFER_SIZE || this.bytes + waiting.size > EVENT_BUFFER_MB * MB;
    if (full || this.stopped) {
      this.drop('overflow', 1);
      throw new EventBufferFull(
        this.stopped
          ? 'This instance is ending and takes no further events'
          : 'Events wait for the broker, and there is no room for another one',
        { retryAfterSeconds: 1 },
      );
    }
    this.waiting.push(waiting);
    this.bytes += waiting.size;
    this.wake.ring();
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.isStopped()) {
      const batch = this.waiting.slice(0, BATCH);
      if (batch.length === 0) {
        this.drained?.();
        await this.wake.sleep(RETRY_MAX_MS);
        continue;
      }
      try {
        await this.send(batch);
        failures = 0;
      } catch (error) {
        if (failures === 0) this.logger.warn({ err: error }, 'The broker does not take events');
        this.bufferMetrics.failures.inc();
        failures += 1;
        await this.pause(failures);
      }
    }
  }

  /** Takes out what was sent. Of a batch with one that is refused for good, halves find that one in few calls. */
  private async send(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.spans.sending(
        batch.map(({ event }) => event),
        () => this.broker.produce(batch.map(recordOf)),
      );
    } catch (error) {
      if (!(error instanceof RecordRefused)) throw error;
      if (batch.length > 1) {
        const middle = Math.ceil(batch.length / 2);
        await this.send(batch.slice(0, middle));
        return this.send(batch.slice(middle));
      }
      this.drop('refused', 1);
      const { id, type, partitionkey } = batch[0]?.event ?? {};
      this.logger.error(
        { err: error, event_id: id, event_type: type, key: partitionkey },
        'The broker refused an event for good',
      );
    }
    for (const { size } of this.waiting.splice(0, batch.length)) this.bytes -= size;
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.config.EVENT_BUFFER_FLUSH_MS);
      this.drained = () => {
        clearTimeout(timer);
        resolve();
      };
      this.wake.ring();
    });
  }

  /** Not cut short by what is published meanwhile, but by the end: there is little time left to try in. */
  private async pause(failures: number): Promise<void> {
    const begun = performance.now();
    const full = backoff(failures - 1, RETRY_BASE_MS, RETRY_MAX_MS);
    const left = () => begun + (this.flushing ? RETRY_BASE_MS : full) - performance.now();
    while (left() > 0 && !this.isStopped()) await this.wake.sleep(left());
  }

  private drop(reason: DropReason, count: number): void {
    this.bufferMetrics.dropped.inc({ reason }, count);
  }

  private isStopped(): boolean {
    return this.stopped;
  }
}

function recordOf({ event, json }: Waiting) {
  return {
    topic: topicOf(event.type),
    key: event.partitionkey,
    value: json,
    headers: eventHeaders(event),
  };
}
