import type { EventCatalogue } from '@gatehouse/contracts-platform';
import { Health, Lifecycle } from '@gatehouse/kernel';
import { Inject, Injectable } from '@nestjs/common';

import { EventBroker } from './broker/event-broker.ts';
import { Listener } from './broker/postgres/listener.ts';
import { EventBusConfig } from './config/event-bus.config.ts';
import { ConsumerRegistry } from './consume/consumer.registry.ts';
import { EventConsumers } from './consume/event-consumers.ts';
import { HandleEvent } from './consume/handle-event.ts';
import { openTopics } from './event-bus.phases.ts';
import { BufferedIntegrationEvents } from './publish/buffered-integration-events.ts';
import { EVENT_CATALOGUES } from './publish/event-drafts.ts';
import { LogUpkeep } from './upkeep/log-upkeep.ts';

/** Where the bus of a service without a database stands in the life of its process. */
@Injectable()
export class WithoutDatabasePhases {
  constructor(
    lifecycle: Lifecycle,
    health: Health,
    broker: EventBroker,
    config: EventBusConfig,
    registry: ConsumerRegistry,
    consumers: EventConsumers,
    handle: HandleEvent,
    events: BufferedIntegrationEvents,
    upkeep: LogUpkeep,
    @Inject(EVENT_CATALOGUES) catalogues: readonly EventCatalogue[],
    @Inject(Listener) listener: Listener | undefined,
  ) {
    lifecycle.onStart('broker', 'topics', async () => {
      registry.all(); // a mistake in a decorator stops the start
      await openTopics(broker, catalogues, config.EVENT_PARTITIONS);
      events.start();
    });
    lifecycle.onStart('ready', 'event consumers', async () => {
      await consumers.start();
      upkeep.start();
    });

    lifecycle.onStop('consumers', 'event consumers', async () => {
      await Promise.all([upkeep.stop(), consumers.stop()]);
    });
    lifecycle.onStop('flush', 'event buffer', () => events.stop());
    lifecycle.onStop('close', 'event broker', async () => {
      await broker.close();
      await listener?.close();
    });

    health.addLiveness('event-consumers', () => {
      consumers.checkAlive();
      handle.checkAlive();
    });
  }
}
