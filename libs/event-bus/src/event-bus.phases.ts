import { type CloudEvent, type EventCatalogue, topicOf } from '@gatehouse/contracts-platform';
import { Health, Lifecycle } from '@gatehouse/kernel';
import { Inject, Injectable } from '@nestjs/common';

import { EventBroker } from './broker/event-broker.ts';
import { Listener } from './broker/postgres/listener.ts';
import { EventBusConfig } from './config/event-bus.config.ts';
import { ConsumerRegistry } from './consume/consumer.registry.ts';
import { EventConsumers } from './consume/event-consumers.ts';
import { HandleEvent } from './consume/handle-event.ts';
import { Releaser } from './consume/releaser.ts';
import { OutboxRelay } from './outbox/outbox-relay.ts';
import type { OutboxRow } from './outbox/outbox.store.ts';
import { eventHeaders } from './publish/event-headers.ts';
import { EVENT_CATALOGUES } from './publish/event-drafts.ts';
import { EVENTS_CHANNEL } from './publish/outbox-integration-events.ts';
import { EventSpans } from './trace/event-spans.ts';
import { Upkeep } from './upkeep/upkeep.ts';

/** Where the bus stands in the life of its process. */
@Injectable()
export class EventBusPhases {
  constructor(
    lifecycle: Lifecycle,
    health: Health,
    broker: EventBroker,
    listener: Listener,
    config: EventBusConfig,
    registry: ConsumerRegistry,
    consumers: EventConsumers,
    handle: HandleEvent,
    releaser: Releaser,
    relay: OutboxRelay,
    upkeep: Upkeep,
    spans: EventSpans,
    @Inject(EVENT_CATALOGUES) catalogues: readonly EventCatalogue[],
  ) {
    relay.registerSink(EVENTS_CHANNEL, async (rows) => {
      const events = rows.map((row) => row.payload as CloudEvent);
      const records = events.map((event, index) => {
        const { topic, key, text } = rows[index] as OutboxRow;
        return {
          topic: topic ?? topicOf(event.type),
          key,
          value: text,
          headers: eventHeaders(event),
        };
      });
      await spans.sending(events, () => broker.produce(records));
    });

    lifecycle.onStart('broker', 'topics', async () => {
      registry.all(); // a mistake in a decorator stops the start
      await openTopics(broker, catalogues, config.EVENT_PARTITIONS);
    });
    lifecycle.onStart('ready', 'outbox relay', () => relay.start());
    lifecycle.onStart('ready', 'event consumers', async () => {
      releaser.start();
      await consumers.start();
      upkeep.start();
    });

    lifecycle.onStop('consumers', 'event consumers', async () => {
      await Promise.all([upkeep.stop(), consumers.stop(), releaser.stop()]);
    });
    lifecycle.onStop('flush', 'outbox relay', () => relay.stop());
    lifecycle.onStop('close', 'event broker', async () => {
      await broker.close();
      await listener.close();
    });

    health.addLiveness('event-consumers', () => {
      consumers.checkAlive();
      handle.checkAlive();
    });
  }
}

/** Connects, and makes the topics of what the service publishes. */
export async function openTopics(
  broker: EventBroker,
  catalogues: readonly EventCatalogue[],
  partitions: number,
): Promise<void> {
  await broker.connect();
  for (const topic of catalogues.flatMap((catalogue) => catalogue.topics)) {
    await broker.createTopic(topic, partitions);
  }
}
