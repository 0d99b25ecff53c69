import { eventually } from '@gatehouse/testing';
import type { TestPlatform } from '@gatehouse/testing-platform';
import { KafkaLog } from './kafka-log.ts';

export interface LoggedEvent {
  id: string;
  type: string;
  source: string;
  traceparent?: string;
  userid?: string;
  sequence: number;
  partitionkey: string;
  data: Record<string, unknown>;
}

/** Every event of a type in the platform's log, in order per key. */
export async function eventsOfType(platform: TestPlatform, type: string): Promise<LoggedEvent[]> {
  const values = await valuesIn(platform);
  return values
    .map((value) => JSON.parse(value) as LoggedEvent)
    .filter((event) => event.type === type);
}

/** Those whose data names `subject` (a user or session id). */
export async function eventsOf(
  platform: TestPlatform,
  type: string,
  subject: string,
): Promise<LoggedEvent[]> {
  const events = await eventsOfType(platform, type);
  return events.filter(({ data }) => Object.values(data).includes(subject));
}

/** `eventsOf`, once there are `count`. */
export function eventsEventually(
  platform: TestPlatform,
  type: string,
  subject: string,
  count = 1,
): Promise<LoggedEvent[]> {
  return eventually(
    async () => {
      const events = await eventsOf(platform, type, subject);
      if (events.length < count) throw new Error(`${events.length} of ${count} events ${type}`);
      return events;
    },
    { timeoutMs: 10_000 },
  );
}

const logs = new WeakMap<TestPlatform, Promise<KafkaLog>>();

async function valuesIn(platform: TestPlatform): Promise<string[]> {
  const { KAFKA_BROKERS: brokers } = platform.engineAddresses;
  if (brokers === undefined) {
    const rows = await platform.database('platform')<{ value: string }>(
      'SELECT value FROM platform.bus_log WHERE value IS NOT NULL ORDER BY topic, partition, "offset"',
    );
    return rows.map(({ value }) => value);
  }
  let log = logs.get(platform);
  if (log === undefined) {
    const opened = (log = KafkaLog.open(brokers));
    logs.set(platform, opened);
    platform.beforeStop(async () => (await opened).close());
  }
  return (await log).values();
}
