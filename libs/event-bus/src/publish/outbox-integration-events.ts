import { type CloudEvent, type IntegrationEventType, topicOf } from '@gatehouse/contracts-platform';
import { formatTraceparent } from '@gatehouse/kernel';
import { currentTransaction, Database, type Transaction } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { Outbox } from '../outbox/outbox.ts';
import { EventSpans } from '../trace/event-spans.ts';
import { type Draft, EventDrafts, jsonOf } from './event-drafts.ts';
import { type EventInput, IntegrationEvents } from './integration-events.ts';
import { nextSequences } from './sequences.ts';

/** The channel of the outbox that events go through. */
export const EVENTS_CHANNEL = 'events';

const BUFFER = Symbol('events published in this transaction');

/** Publishes each event in the transaction of the change it tells of. */
@Injectable()
export class OutboxIntegrationEvents extends IntegrationEvents {
  constructor(
    private readonly drafts: EventDrafts,
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly metrics: EventBusMetrics,
    private readonly spans: EventSpans,
  ) {
    super();
  }

  /**
   * Buffers an event; it is written just before the transaction commits and sent after. Events of one `key` (the
   * aggregate's id) are numbered 1, 2, 3, ... in the order in which their transactions commit, and arrive in that order.
   */
  override publish<K extends IntegrationEventType>(type: K, event: EventInput<K>): void {
    const transaction = currentTransaction();
    if (!transaction) {
      throw new Error(
        `${type} was published outside a transaction: the change and its event commit together`,
      );
    }
    const draft = this.drafts.draft(type, event);
    const span = this.spans.publishing(draft);
    if (span !== undefined) {
      draft.traceparent = formatTraceparent(span.trace);
      transaction.afterCommit(() => span.end());
    }
    this.bufferOf(transaction).push(draft);
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
      return {
        channel: EVENTS_CHANNEL,
        topic: topicOf(draft.type),
        key: draft.partitionkey,
        payload: jsonOf(event),
      };
    });
    await this.outbox.insert(entries);
  }
}
