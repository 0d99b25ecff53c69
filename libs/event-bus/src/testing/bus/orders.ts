import {
  type CloudEvent,
  defineEvents,
  type EventDataOf,
  type IntegrationEventMap,
} from '@gatehouse/contracts-platform';
import { Database, type Migration, Transactional } from '@gatehouse/persistence';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';

import { actorOf } from '../../consume/event-context.ts';
import { OnIntegrationEvent } from '../../consume/on-integration-event.decorator.ts';
import type { OutboxSink } from '../../outbox/relay-lane.ts';
import { IntegrationEvents } from '../../publish/integration-events.ts';

const order = z.strictObject({ order_id: z.string(), n: z.int() });
const schemas = { 'alpha.order.placed.v1': order, 'alpha.order.paid.v1': order };

declare module '@gatehouse/contracts-platform' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an augmentation
  interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
}

export type OrderEvent = CloudEvent<IntegrationEventMap['alpha.order.placed.v1']>;
export const alphaEvents = defineEvents('alpha', schemas);

/** Has no unique index: an effect that happens twice shows. */
export const effectsMigration: Migration = {
  name: 'test-0001-effects',
  up: `CREATE TABLE effects (
    id bigint GENERATED ALWAYS AS IDENTITY, consumer text, key text, n integer, event_id text, instance text
  )`,
};

/** Publishes. */
@Injectable()
export class Orders {
  constructor(
    readonly database: Database,
    readonly events: IntegrationEvents,
  ) {}

  @Transactional()
  async place(
    key: string,
    numbers: readonly number[],
    before?: () => Promise<void>,
  ): Promise<void> {
    for (const n of numbers) {
      this.events.publish('alpha.order.placed.v1', { key, data: { order_id: key, n } });
    }
    await before?.();
  }

  /** The transaction stays open for as long as `late` takes after everything is written and locked. */
  placeAndCommitLate(key: string, n: number, late: () => Promise<void>): Promise<void> {
    return this.database.transaction((transaction) => {
      this.events.publish('alpha.order.placed.v1', { key, data: { order_id: key, n } });
      transaction.beforeCommit(late, 1000);
      return Promise.resolve();
    });
  }
}

export interface Behaviour {
  instance: string;
  /** Called first thing in the handler. */
  beforeEffect?: (event: OrderEvent) => void;
  /** Called inside the handler's transaction, after its effect. */
  afterEffect?: (event: OrderEvent, database: Database) => Promise<void> | void;
  /** Where alpha's channel `audit` goes, as guards registers it. */
  auditSink?: OutboxSink;
  seen: { event: OrderEvent; actor: string | undefined }[];
  broadcast: OrderEvent[];
}

export const BEHAVIOUR = Symbol('behaviour');

/** Subscribes. */
@Injectable()
export class OrdersSubscriber {
  constructor(
    private readonly database: Database,
    @Inject(BEHAVIOUR) private readonly behaviour: Behaviour,
  ) {}

  @OnIntegrationEvent(['alpha.order.placed.v1'], { consumer: 'record' })
  async record(event: OrderEvent): Promise<void> {
    this.behaviour.beforeEffect?.(event);
    await this.database.query(
      'INSERT INTO effects (consumer, key, n, event_id, instance) VALUES ($1, $2, $3, $4, $5)',
      ['record', event.partitionkey, event.data.n, event.id, this.behaviour.instance],
    );
    this.behaviour.seen.push({ event, actor: actorOf() });
    await this.behaviour.afterEffect?.(event, this.database);
  }

  @OnIntegrationEvent('alpha.order.placed.v1', { consumer: 'watch', mode: 'broadcast' })
  watch(event: OrderEvent): Promise<void> {
    this.behaviour.broadcast.push(event);
    return Promise.resolve();
  }
}
