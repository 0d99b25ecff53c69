import { defineEvents, type EventDataOf } from '@gatehouse/contracts-platform';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';

import { OnIntegrationEvent } from '../../consume/on-integration-event.decorator.ts';
import { IntegrationEvents } from '../../publish/integration-events.ts';
import { type Behaviour, BEHAVIOUR, type OrderEvent } from './orders.ts';

const schemas = { 'gamma.order.echoed.v1': z.strictObject({ order_id: z.string(), n: z.int() }) };

declare module '@gatehouse/contracts-platform' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an augmentation
  interface IntegrationEventMap extends EventDataOf<typeof schemas> {}
}

export const gammaEvents = defineEvents('gamma', schemas);

/** A service without a database: what it hears from alpha it says again. */
@Injectable()
export class Echoes {
  constructor(
    private readonly events: IntegrationEvents,
    @Inject(BEHAVIOUR) private readonly behaviour: Behaviour,
  ) {}

  @OnIntegrationEvent('alpha.order.placed.v1', { consumer: 'echo' })
  echo(event: OrderEvent): Promise<void> {
    this.behaviour.seen.push({ event, actor: undefined });
    this.behaviour.beforeEffect?.(event);
    this.say(event.partitionkey, event.data.n);
    return Promise.resolve();
  }

  @OnIntegrationEvent('gamma.order.echoed.v1', { consumer: 'listen', mode: 'broadcast' })
  listen(event: OrderEvent): Promise<void> {
    this.behaviour.broadcast.push(event);
    return Promise.resolve();
  }

  say(key: string, n: number): void {
    this.events.publish('gamma.order.echoed.v1', { key, data: { order_id: key, n } });
  }
}
