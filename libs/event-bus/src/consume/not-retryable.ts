/**
 * Thrown by a handler that knows that no further try will help: the event becomes a dead letter at once. Everything else,
 * a TypeError included, is tried EVENT_MAX_ATTEMPTS times.
 */
export class NotRetryable extends Error {
  override readonly name: string = 'NotRetryable';
}

/** The record cannot be read as an event. */
export class UnreadableRecord extends NotRetryable {
  override readonly name = 'UnreadableRecord';
}
