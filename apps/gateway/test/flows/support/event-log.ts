import { eventually } from '@gatehouse/testing';
import type { TestPlatform } from '@gatehouse/testing-platform';

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

/** Every event of a type in the platform's log whose data names `subject` (a user or session id), in order. */
export async function eventsOf(
  platform: TestPlatform,
  type: string,
  subject: string,
): Promise<LoggedEvent[]> {
  const rows = await platform.database('platform')<{ value: string }>(
    `SELECT value FROM platform.bus_log
     WHERE value::jsonb ->> 'type' = $1
       AND value::jsonb -> 'data' @? format('$.* ? (@ == "%s")', $2::text)::jsonpath
     ORDER BY topic, partition, "offset"`,
    [type, subject],
  );
  return rows.map(({ value }) => JSON.parse(value) as LoggedEvent);
}

/** The same, once there are `count`. */
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
