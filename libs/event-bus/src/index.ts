/**
 * Integration events: published in the transaction of the change they tell of (outbox), handled once in effect (inbox),
 * in order per key, over a broker behind a port.
 */
export {
  type BrokerRecord,
  EventBroker,
  type GroupDescription,
  type GroupPosition,
  type OutgoingRecord,
  type PartitionLag,
  type PartitionRange,
  RecordRefused,
  type RecordBatch,
  type SubscribeOptions,
  type Subscription,
  type TopicDescription,
  type TopicPartition,
} from './broker/event-broker.ts';
export { kafkaConnection } from './broker/choose-broker.ts';
export { KafkaBroker, type KafkaBrokerOptions } from './broker/kafka/kafka-broker.ts';
export { clientConfig, type KafkaConnection } from './broker/kafka/kafka-client.ts';
export { refusalOf } from './broker/kafka/kafka-errors.ts';
export { Listener } from './broker/postgres/listener.ts';
export { eventBusPlatformSql } from './broker/postgres/platform.migrations.ts';
export { PostgresBroker, type PostgresBrokerOptions } from './broker/postgres/postgres-broker.ts';
export { EventBufferConfig } from './config/event-buffer.config.ts';
export { EventBusConfig } from './config/event-bus.config.ts';
export { EventLogConfig } from './config/event-log.config.ts';
export { KafkaConfig } from './config/kafka.config.ts';
export { actorOf, currentEvent } from './consume/event-context.ts';
export { HandlerTimeout } from './consume/handle-event.ts';
export { NotRetryable, UnreadableRecord } from './consume/not-retryable.ts';
export {
  type ConsumerMode,
  OnIntegrationEvent,
  type SubscriptionOptions,
} from './consume/on-integration-event.decorator.ts';
export {
  type BatchOptions,
  type BatchOutcome,
  type BatchResult,
  DeadLetterBatch,
  type DeadLetterSelection,
} from './dead-letters/dead-letter-batch.ts';
export {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterQuery,
  DeadLetters,
  type ReplayOutcome,
} from './dead-letters/dead-letters.ts';
export { DeadLetterNotFound } from './dead-letters/errors.ts';
export { EventBusModule, type EventBusOptions } from './event-bus.module.ts';
export { eventBusMigrations } from './migrations/event-bus.migrations.ts';
export {
  type ChannelState,
  type ConsumerState,
  EventOperations,
  type TopicState,
} from './operations/event-operations.ts';
export type { ParkedKey, ParkedKeysQuery } from './operations/parked-keys.ts';
export { Outbox, type OutboxEntry } from './outbox/outbox.ts';
export { OutboxRelay } from './outbox/outbox-relay.ts';
export { type OutboxDepth, OutboxRow } from './outbox/outbox.store.ts';
export type { OutboxSink } from './outbox/relay-lane.ts';
export { EventBufferFull, InvalidEvent } from './publish/errors.ts';
export { type EventInput, IntegrationEvents } from './publish/integration-events.ts';
