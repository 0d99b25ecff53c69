import type { EventCatalogue } from '@gatehouse/contracts-platform';
import { EngineConfig, ServiceInfo, Tracing } from '@gatehouse/kernel';
import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import { chosenBroker, openListener } from './broker/choose-broker.ts';
import { EventBroker } from './broker/event-broker.ts';
import { Listener } from './broker/postgres/listener.ts';
import { EventBufferConfig } from './config/event-buffer.config.ts';
import { EventBufferMetrics } from './config/event-buffer.metrics.ts';
import { EventBusConfig } from './config/event-bus.config.ts';
import { EventBusMetrics } from './config/event-bus.metrics.ts';
import { KafkaConfig } from './config/kafka.config.ts';
import { Broadcast } from './consume/broadcast.ts';
import { BegunTriesStore } from './consume/begun-tries.store.ts';
import { ConsumerRegistry } from './consume/consumer.registry.ts';
import { CountedTries } from './consume/counted-tries.ts';
import { EventConsumers } from './consume/event-consumers.ts';
import { GroupTaker } from './consume/group-taker.ts';
import { HandleEvent } from './consume/handle-event.ts';
import { HandleInTransaction } from './consume/handle-in-transaction.ts';
import { HeldEventsStore } from './consume/held-events.store.ts';
import { InboxStore } from './consume/inbox.store.ts';
import { Releaser } from './consume/releaser.ts';
import { TakeEvent } from './consume/take-event.ts';
import { TakeWithoutInbox } from './consume/take-without-inbox.ts';
import { TriesInPlace } from './consume/tries-in-place.ts';
import { DeadLetterBatch } from './dead-letters/dead-letter-batch.ts';
import { DeadLetters } from './dead-letters/dead-letters.ts';
import { EventBusPhases } from './event-bus.phases.ts';
import { EventOperations } from './operations/event-operations.ts';
import { ParkedKeys } from './operations/parked-keys.ts';
import { Outbox } from './outbox/outbox.ts';
import { OutboxRelay } from './outbox/outbox-relay.ts';
import { OutboxStore } from './outbox/outbox.store.ts';
import { RefusedRows } from './outbox/refused-rows.ts';
import { BufferedIntegrationEvents } from './publish/buffered-integration-events.ts';
import { EVENT_CATALOGUES, EventDrafts } from './publish/event-drafts.ts';
import { IntegrationEvents } from './publish/integration-events.ts';
import { OutboxIntegrationEvents } from './publish/outbox-integration-events.ts';
import { EventSpans } from './trace/event-spans.ts';
import { LogUpkeep } from './upkeep/log-upkeep.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { WithoutDatabasePhases } from './without-database.phases.ts';

export interface EventBusOptions {
  /** What the service publishes; its topics are made at the start. */
  events?: readonly EventCatalogue[];
}

/**
 * Imported once, by a service's own module, after KernelModule and, where the service has a schema, PersistenceModule.
 * What it exports is global.
 */
@Global()
@Module({})
export class EventBusModule {
  /** Events are published in transactions and handled once in effect: outbox, inbox and dead letters in the schema. */
  static forService({ events = [] }: EventBusOptions = {}): DynamicModule {
    return {
      module: EventBusModule,
      imports: [DiscoveryModule],
      providers: [
        ...commonOf(events),
        { provide: Listener, useFactory: openListener, inject: [ServiceInfo] },
        OutboxStore,
        RefusedRows,
        OutboxRelay,
        Outbox,
        { provide: IntegrationEvents, useClass: OutboxIntegrationEvents },
        InboxStore,
        HeldEventsStore,
        HandleInTransaction,
        BegunTriesStore,
        CountedTries,
        Releaser,
        { provide: GroupTaker, useClass: TakeEvent },
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

  /**
   * For a service that has no schema: the same decorators and the same `publish`, with less behind them. What is published
   * goes through a buffer in memory (BufferedIntegrationEvents), handlers see an event at least once and have no dead
   * letters (TakeWithoutInbox).
   */
  static withoutDatabase({ events = [] }: EventBusOptions = {}): DynamicModule {
    return {
      module: EventBusModule,
      imports: [DiscoveryModule],
      providers: [
        ...commonOf(events),
        { provide: Listener, useFactory: listenerOfLog, inject: [KafkaConfig, ServiceInfo] },
        EventBufferConfig,
        EventBufferMetrics,
        BufferedIntegrationEvents,
        { provide: IntegrationEvents, useExisting: BufferedIntegrationEvents },
        { provide: GroupTaker, useClass: TakeWithoutInbox },
        LogUpkeep,
        WithoutDatabasePhases,
      ],
      exports: [EventBroker, IntegrationEvents],
    };
  }
}

/** What there is with and without a schema. */
function commonOf(events: readonly EventCatalogue[]): Provider[] {
  return [
    EventBusConfig,
    KafkaConfig,
    EngineConfig,
    EventBusMetrics,
    { provide: EVENT_CATALOGUES, useValue: events },
    chosenBroker,
    { provide: EventSpans, useFactory: eventSpans, inject: [Tracing, KafkaConfig, ServiceInfo] },
    EventDrafts,
    ConsumerRegistry,
    HandleEvent,
    TriesInPlace,
    Broadcast,
    EventConsumers,
  ];
}

function eventSpans(tracing: Tracing, kafka: KafkaConfig, service: ServiceInfo): EventSpans {
  return new EventSpans(tracing, kafka.KAFKA_BROKERS ? 'kafka' : 'postgresql', service.name);
}

/** Over Kafka a service without a database needs no PostgreSQL at all. */
function listenerOfLog(kafka: KafkaConfig, service: ServiceInfo): Listener | undefined {
  return kafka.KAFKA_BROKERS ? undefined : openListener(service);
}
