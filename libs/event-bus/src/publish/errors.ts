/** A mistake in the program that publishes: never an answer to a client. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}
