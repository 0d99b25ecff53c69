import { type CloudEvent, CloudEventEnvelope } from '@gatehouse/contracts-platform';

import type { BrokerRecord } from '../broker/event-broker.ts';
import { UnreadableRecord } from './not-retryable.ts';

/**
 * What a record turned out to be:
 * - `event`: to be handled, if the consumer handles its type
 * - `tombstone`: without a value; passed over
 * - `foreign`: claims a source that does not own the topic; dropped and counted
 * - `unreadable`: not JSON, or not an event; a dead letter at once, its key parked, for a later event may rest on it
 */
export type Reading =
  | { kind: 'event'; event: CloudEvent }
  | { kind: 'tombstone' }
  | { kind: 'foreign'; source: string }
  | { kind: 'unreadable'; error: UnreadableRecord };

export function readRecord(record: Pick<BrokerRecord, 'topic' | 'value' | 'source'>): Reading {
  if (record.value === null) return { kind: 'tombstone' };
  if (record.source !== undefined && !owns(record.source, record.topic)) {
    return { kind: 'foreign', source: record.source };
  }
  let json: unknown;
  try {
    json = JSON.parse(record.value);
  } catch (cause) {
    return unreadable('The value is not JSON', cause);
  }
  const envelope = CloudEventEnvelope.safeParse(json);
  if (!envelope.success) {
    const wrong = envelope.error.issues.map(
      ({ path, message }) => `/${path.join('/')}: ${message}`,
    );
    return unreadable(`The value is not an event: ${wrong.join('; ')}`);
  }
  const event = envelope.data as CloudEvent;
  const stamped = record.source ?? event.source;
  if (event.source !== stamped || !owns(event.source, record.topic)) {
    return { kind: 'foreign', source: event.source };
  }
  return { kind: 'event', event };
}

function owns(source: string, topic: string): boolean {
  return topic.startsWith(`${source}.`);
}

function unreadable(message: string, cause?: unknown): Reading {
  return { kind: 'unreadable', error: new UnreadableRecord(message, { cause }) };
}
