import { type CloudEvent, isEventType, topicOf } from '@gatehouse/contracts-platform';
import {
  ATTRIBUTE,
  childSpan,
  parseTraceparent,
  type RecordedSpan,
  type RequestContext,
  requestContext,
  type SpanAttributes,
  SpanKind,
  type Tracing,
} from '@gatehouse/kernel';

type Told = Pick<CloudEvent, 'id' | 'type' | 'traceparent'>;

/** The spans of an event: where it is published, sent and handled. Its `traceparent` is that of the first. */
export class EventSpans {
  constructor(
    private readonly tracing: Tracing,
    private readonly system: 'kafka' | 'postgresql',
    private readonly service: string,
  ) {}

  /**
   * Begins the producer span of an event, under what the work in hand is at; undefined where that is not recorded. Ended
   * by the commit; where there is none the event was never published, and neither was its span.
   */
  publishing(event: Told): RecordedSpan | undefined {
    const topic = topicOf(event.type);
    return requestContext.current()?.span?.child(`publish ${topic}`, {
      kind: SpanKind.PRODUCER,
      attributes: this.attributes(event, topic, 'publish', 'create'),
    });
  }

  /** Runs `send`, as a client span for each of the events that is recorded. */
  async sending(events: readonly Told[], send: () => Promise<void>): Promise<void> {
    const spans = events.flatMap((event) => this.sendSpan(event) ?? []);
    try {
      await send();
    } catch (error) {
      for (const span of spans) span.threw(error);
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  }

  /** Runs `handle` in `context`, as a consumer span that is linked to where the event was published. */
  async processing(
    context: RequestContext,
    event: Told,
    consumer: string,
    handle: () => Promise<void>,
  ): Promise<void> {
    const published = parseTraceparent(event.traceparent);
    // A refused row of the outbox that is sent again comes this way too, and is no event.
    if (this.tracing.on && published?.sampled === true && isEventType(event.type)) {
      const topic = topicOf(event.type);
      const link = { traceId: published.traceId, spanId: published.spanId, traceFlags: 1 };
      const options = {
        kind: SpanKind.CONSUMER,
        attributes: {
          ...this.attributes(event, topic, 'process', 'process'),
          [ATTRIBUTE.MESSAGING_CONSUMER_GROUP_NAME]: `${this.service}.${consumer}`,
        },
        links: [{ context: link }],
      };
      // Whoever may write to the topic is of the platform: what it says of sampling is followed.
      this.tracing.enter(context, `process ${topic}`, options, true);
    }
    try {
      await requestContext.run(context, handle);
    } catch (error) {
      context.span?.threw(error);
      throw error;
    } finally {
      context.span?.end();
    }
  }

  private sendSpan(event: Told): RecordedSpan | undefined {
    // Seen at a glance for all that is not sampled.
    if (!this.tracing.on || event.traceparent?.endsWith('-01') !== true) return undefined;
    if (!isEventType(event.type)) return undefined;
    const published = parseTraceparent(event.traceparent);
    if (published === undefined) return undefined;
    const topic = topicOf(event.type);
    return this.tracing.begin(childSpan(published), `send ${topic}`, {
      kind: SpanKind.CLIENT,
      attributes: this.attributes(event, topic, 'send', 'send'),
    });
  }

  private attributes(
    { id, type }: Told,
    topic: string,
    operation: string,
    operationType: 'create' | 'send' | 'process',
  ): SpanAttributes {
    return {
      [ATTRIBUTE.MESSAGING_SYSTEM_NAME]: this.system,
      [ATTRIBUTE.MESSAGING_DESTINATION_NAME]: topic,
      [ATTRIBUTE.MESSAGING_OPERATION_NAME]: operation,
      [ATTRIBUTE.MESSAGING_OPERATION_TYPE]: operationType,
      [ATTRIBUTE.MESSAGING_MESSAGE_ID]: id,
      [ATTRIBUTE.CLOUDEVENTS_EVENT_TYPE]: type,
    };
  }
}
