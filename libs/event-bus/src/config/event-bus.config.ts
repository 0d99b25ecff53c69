import { configOf, envInteger } from '@gatehouse/kernel';

const HOUR = 24 * 365 * 10;

/** How the bus of a service behaves. Every variable has a default that serves. */
export class EventBusConfig extends configOf({
  /** Partitions of a topic when it is made; an existing topic keeps its number. */
  EVENT_PARTITIONS: envInteger(8, 1, 256),
  /** How often an event is tried, the first time included, before it is a dead letter; without a database, before it is dropped. */
  EVENT_MAX_ATTEMPTS: envInteger(5, 1, 100),
  /** The pause before the second try, doubled at each further one up to the maximum. */
  EVENT_RETRY_BASE_MS: envInteger(250, 1, 60_000),
  /** The longest pause between two tries. */
  EVENT_RETRY_MAX_MS: envInteger(30_000, 1, 3_600_000),
  /** A handler that takes longer has failed; its transaction is rolled back. */
  EVENT_HANDLER_TIMEOUT_MS: envInteger(30_000, 10, 3_600_000),
  /** Events a consumer handles at the same time, each of another key. */
  EVENT_CONCURRENCY: envInteger(4, 1, 100),
  /** A consumer that is silent for so long loses its partitions to another instance. */
  EVENT_SESSION_MS: envInteger(10_000, 300, 300_000),
  /** How often to look without having been woken: the log, the outbox, what waits for its next try. */
  EVENT_POLL_MS: envInteger(1_000, 10, 60_000),
  /** How long the log keeps a record. */
  EVENT_RETENTION_HOURS: envInteger(7 * 24, 1, HOUR),
  /** How long an event handled is remembered; longer than the log keeps records. */
  EVENT_INBOX_RETENTION_HOURS: envInteger(30 * 24, 1, HOUR),
  /** Rows the relay takes at once. */
  OUTBOX_BATCH_SIZE: envInteger(500, 1, 5_000),
  /** A relay that is silent for so long loses its partitions to another instance. */
  OUTBOX_LEASE_MS: envInteger(5_000, 300, 300_000),
  /** How long a stopping process goes on sending what its outbox holds. */
  OUTBOX_FLUSH_MS: envInteger(5_000, 0, 300_000),
}) {
  constructor() {
    super();
    if (this.EVENT_INBOX_RETENTION_HOURS <= this.EVENT_RETENTION_HOURS) {
      throw new Error(
        'EVENT_INBOX_RETENTION_HOURS must be greater than EVENT_RETENTION_HOURS: ' +
          'an event that the log still holds must not be forgotten, or it is handled twice',
      );
    }
  }
}
