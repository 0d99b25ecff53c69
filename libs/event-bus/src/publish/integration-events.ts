import {
  type CloudEvent,
  dataSchemaOf,
  type EventCatalogue,
  type IntegrationEventMap,
  type IntegrationEventType,
  topicOf,
} from '@gatehouse/contracts-platform';
import { formatTraceparent, newId, requestContext, ServiceInfo } from '@gatehouse/kernel';
import { currentTransaction, Database, type Transaction } from '@gatehouse/persistence';
import { Inject, Injectable } from '@nestjs/common';

import { actorOf } from '../consume/event-context.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { Outbox } from '../outbox/outbox.ts';
import { InvalidEvent } from './errors.ts';
import { EventSpans } from '../trace/event-spans.ts';
import { nextSequences } from './sequences.ts';

/** What the service publishes, as given to `EventBusModule.forService`. */
export const EVENT_CATALOGUES = Symbol('EVENT_CATALOGUES');
/** The channel of the outbox that events go through. */
export const EVENTS_CHANNEL = 'events';

/** JSON characters of an envelope: what belongs into an event is a fact, not a file. */
const MAX_EVENT_SIZE = 256 * 1024;
const MAX_KEY_LENGTH = 512;
const BUFFER = Symbol('events published in this transaction');

type Draft = Omit<CloudEvent, 'sequence'>;

/** Publishes the service's integration events, each in the transaction of the change it tells of. */
@Injectable()
export class IntegrationEvents {
  private readonly catalogues: ReadonlyMap<string, EventCatalogue>;

  constructor(
    @Inject(EVENT_CATALOGUES) catalogues: readonly EventCatalogue[],
    private readonly service: ServiceInfo,
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly metrics: EventBusMetrics,
    private readonly spans: EventSpans,
  ) {
    this.catalogues = new Map(
      catalogues.flatMap((catalogue) => catalogue.types.map((type) => [type, catalogue] as const)),
    );
    metrics.knowTypes([...this.catalogues.keys()]);
  }

  /**
   * Buffers an event; it is written just before the transaction commits and sent after. Events of one `key` (the
   * aggregate's id) are numbered 1, 2, 3, ... in the order in which their transactions commit, and arrive in that order.
   *
   * @throws outside `@Transactional()`
   * @throws InvalidEvent for a type that is not the service's own, or data that does not fit the type's schema
   */
  publish<K extends IntegrationEventType>(
    type: K,
    event: { key: string; subject?: string; data: IntegrationEventMap[K] },
  ): void {
    const transaction = currentTransaction();
    if (!transaction) {
      throw new Error(
        `${type} was published outside a transaction: the change and its event commit together`,
      );
    }
    const draft = this.draft(type, event);
    const span = this.spans.publishing(draft);
    if (span !== undefined) {
      draft.traceparent = formatTraceparent(span.trace);
      transaction.afterCommit(() => span.end());
    }
    this.bufferOf(transaction).push(draft);
  }

  private draft(type: string, event: { key: string; subject?: string; data: unknown }): Draft {
    const catalogue = this.catalogues.get(type);
    if (!catalogue) throw new InvalidEvent(`${this.service.name} does not publish "${type}"`);
    if (event.key === '' || event.key.length > MAX_KEY_LENGTH || event.key.includes('\0')) {
      throw new InvalidEvent(`${type}: a key has 1 to ${MAX_KEY_LENGTH} characters`);
    }
    const data = catalogue.schemaOf(type).safeParse(event.data);
    if (!data.success) {
      const wrong = data.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
      throw new InvalidEvent(`${type}: ${wrong.join('; ')}`);
    }
    const context = requestContext.current();
    const actor = actorOf(context);
    return {
      specversion: '1.0',
      id: newId(),
      source: this.service.name,
      type,
      ...(event.subject !== undefined && { subject: event.subject }),
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      dataschema: dataSchemaOf(type),
      ...(context && { traceparent: formatTraceparent(context.trace) }),
      ...(actor !== undefined && { userid: actor }),
      partitionkey: event.key,
      data: data.data,
    };
  }

  /** The buffer that is written at the next flush; an event published by a later hook of the commit begins a new one. */
  private bufferOf(transaction: Transaction): Draft[] {
    const open = transaction.locals.get(BUFFER) as Draft[] | undefined;
    if (open) return open;
    const drafts: Draft[] = [];
    transaction.locals.set(BUFFER, drafts);
    transaction.beforeCommit(async () => {
      transaction.locals.delete(BUFFER);
      await this.write(drafts);
    }, 0);
    transaction.afterCommit(() => {
      for (const { type } of drafts) this.metrics.published.inc({ type });
    });
    return drafts;
  }

  private async write(drafts: readonly Draft[]): Promise<void> {
    const sequences = await nextSequences(
      this.database,
      drafts.map((draft) => ({ topic: topicOf(draft.type), key: draft.partitionkey })),
    );
    const entries = drafts.map((draft, index) => {
      const event: CloudEvent = { ...draft, sequence: sequences[index] ?? 0 };
      const payload = JSON.stringify(event);
      if (payload.length > MAX_EVENT_SIZE) {
        throw new InvalidEvent(
          `${draft.type} is ${payload.length} characters long; ${MAX_EVENT_SIZE} are allowed`,
        );
      }
      return {
        channel: EVENTS_CHANNEL,
        topic: topicOf(draft.type),
        key: draft.partitionkey,
        payload,
      };
    });
    await this.outbox.insert(entries);
  }
}
