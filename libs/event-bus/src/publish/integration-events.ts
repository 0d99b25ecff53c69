import type { IntegrationEventMap, IntegrationEventType } from '@gatehouse/contracts-platform';

/** What a publisher says of an event; the rest is taken from the work in hand. */
export interface EventInput<K extends IntegrationEventType> {
  /** The aggregate's id, 1 to 512 characters: what happens to one is kept in order. */
  key: string;
  subject?: string;
  data: IntegrationEventMap[K];
}

/**
 * Publishes the service's integration events. Two adapters: the outbox, where an event stands and falls with its
 * transaction (OutboxIntegrationEvents), and a bounded buffer for services without a database
 * (BufferedIntegrationEvents).
 */
export abstract class IntegrationEvents {
  /**
   * @throws InvalidEvent for a type that is not the service's own, or data that does not fit the type's schema
   * @throws Error outside `@Transactional()`, in a service that has a database
   * @throws EventBufferFull in a service that has none, while its broker is away for too long
   */
  abstract publish<K extends IntegrationEventType>(type: K, event: EventInput<K>): void;
}
