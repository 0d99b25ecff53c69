/** No consumer's name has a colon. */
const PREFIX = 'outbox:';

/** The name under which the rows of a channel that its sink refused are held, in the place of a consumer's. */
export function outboxConsumer(channel: string): string {
  return PREFIX + channel;
}

/** Undefined: it is a consumer's name. */
export function channelOf(consumer: string): string | undefined {
  return consumer.startsWith(PREFIX) ? consumer.slice(PREFIX.length) : undefined;
}
