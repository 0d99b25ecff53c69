import type { CloudEvent } from '@gatehouse/contracts-platform';

import type { BrokerRecord } from '../broker/event-broker.ts';

/** One event, or one record that should have been one, on its way to one consumer. */
export interface Delivery {
  consumer: string;
  topic: string;
  key: string;
  /** What repeats are known by: the event's id, or the place of a record that has none. */
  eventId: string;
  eventType: string | null;
  /** As it came. */
  value: string;
  /** Where it came from, for people. */
  record: { partition: number; offset: string; appended_at: string };
}

export function deliveryOf(consumer: string, record: BrokerRecord, event?: CloudEvent): Delivery {
  const { topic, partition, key, value } = record;
  const offset = record.offset.toString();
  return {
    consumer,
    topic,
    key,
    eventId: event?.id ?? `${topic}/${partition}/${offset}`,
    eventType: event?.type ?? null,
    value: value ?? '',
    record: { partition, offset, appended_at: record.appendedAt.toISOString() },
  };
}
