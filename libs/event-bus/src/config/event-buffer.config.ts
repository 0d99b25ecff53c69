import { configOf, envInteger } from '@gatehouse/kernel';

/** How a service without a database keeps the events that the broker has not taken yet. */
export class EventBufferConfig extends configOf({
  /** Events that may wait; one more is refused. */
  EVENT_BUFFER_SIZE: envInteger(10_000, 1, 1_000_000),
  /** Megabytes of JSON that those may come to; one that goes beyond is refused. In memory they take a multiple of it. */
  EVENT_BUFFER_MB: envInteger(64, 1, 4_096),
  /** How long a stopping process goes on sending what waits. */
  EVENT_BUFFER_FLUSH_MS: envInteger(5_000, 0, 300_000),
}) {}
