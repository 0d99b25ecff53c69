import { ServiceUnavailable } from '@gatehouse/contracts-platform';

/** A mistake in the program that publishes: never an answer to a client. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

/** The broker is away for so long that no further event can wait for it. To callers a plain SERVICE_UNAVAILABLE. */
export class EventBufferFull extends ServiceUnavailable {}
