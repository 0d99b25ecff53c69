import type { EventCatalogue } from '@gatehouse/contracts-platform';
import { EngineConfig, ServiceInfo, Tracing } from '@gatehouse/kernel';
import { postgresConnection } from '@gatehouse/persistence';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { chosenBroker } from './broker/choose-broker.ts';
import { EventBroker } from './broker/event-broker.ts';
import { Listener } from './broker/postgres/listener.ts';
import { EventBusConfig } from './config/event-bus.config.ts';
import { EventBusMetrics } from './config/event-bus.metrics.ts';
import { KafkaConfig } from './config/kafka.config.ts';
import { Broadcast } from './consume/broadcast.ts';
import { BegunTriesStore } from './consume/begun-tries.store.ts';
import { ConsumerRegistry } from './consume/consumer.registry.ts';
import { CountedTries } from './consume/counted-tries.ts';
import { EventConsumers } from './consume/event-consumers.ts';
import { HandleEvent } from './consume/handle-event.ts';
import { HeldEventsStore } from './consume/held-events.store.ts';
import { InboxStore } from './consume/inbox.store.ts';
import { Releaser } from './consume/releaser.ts';
import { TakeEvent } from './consume/take-event.ts';
import { DeadLetterBatch } from './dead-letters/dead-letter-batch.ts';
import { DeadLetters } from './dead-letters/dead-letters.ts';
import { EventBusPhases } from './event-bus.phases.ts';
import { EventOperations } from './operations/event-operations.ts';
import { ParkedKeys } from './operations/parked-keys.ts';
import { Outbox } from './outbox/outbox.ts';
import { OutboxRelay } from './outbox/outbox-relay.ts';
import { OutboxStore } from './outbox/outbox.store.ts';
import { RefusedRows } from './outbox/refused-rows.ts';
import { EVENT_CATALOGUES, IntegrationEvents } from './publish/integration-events.ts';
import { EventSpans } from './trace/event-spans.ts';
import { Upkeep } from './upkeep/upkeep.ts';

export interface EventBusOptions {
  /** What the service publishes; its topics are made at the start. */
  events?: readonly EventCatalogue[];
}

/** Imported once, by a service's own module, after KernelModule and PersistenceModule. What it exports is global. */
@Global()
@Module({})
export class EventBusModule {
  static forService({ events = [] }: EventBusOptions = {}): DynamicModule {
    return {
      module: EventBusModule,
      imports: [DiscoveryModule],
      providers: [
        EventBusConfig,
        KafkaConfig,
        EngineConfig,
        EventBusMetrics,
        { provide: EVENT_CATALOGUES, useValue: events },
        { provide: Listener, useFactory: listener, inject: [EventBusConfig, ServiceInfo] },
        chosenBroker,
        {
          provide: EventSpans,
          useFactory: eventSpans,
          inject: [Tracing, KafkaConfig, ServiceInfo],
        },
        OutboxStore,
        RefusedRows,
        OutboxRelay,
        Outbox,
        IntegrationEvents,
        InboxStore,
        HeldEventsStore,
        ConsumerRegistry,
        HandleEvent,
        BegunTriesStore,
        CountedTries,
        Releaser,
        TakeEvent,
        Broadcast,
        EventConsumers,
        DeadLetters,
        DeadLetterBatch,
        ParkedKeys,
        EventOperations,
        Upkeep,
        EventBusPhases,
      ],
      exports: [
        EventBroker,
        IntegrationEvents,
        Outbox,
        OutboxRelay,
        DeadLetters,
        DeadLetterBatch,
        EventOperations,
      ],
    };
  }
}

function eventSpans(tracing: Tracing, kafka: KafkaConfig, service: ServiceInfo): EventSpans {
  return new EventSpans(tracing, kafka.KAFKA_BROKERS ? 'kafka' : 'postgresql', service.name);
}

function listener(config: EventBusConfig, service: ServiceInfo): Listener {
  const { connectionString, ssl } = postgresConnection({
    url: config.DATABASE_URL,
    tlsCa: config.DATABASE_TLS_CA,
  });
  return new Listener(connectionString, `${service.name} listener`, ssl);
}
