import { type CloudEvent, topicOf } from '@gatehouse/contracts-platform';
import { newId } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';

/** What was published about one key, in order. */
export async function publishedEvents(admin: Database, key: string): Promise<CloudEvent[]> {
  const rows = await admin.query<{ value: string }>(
    `SELECT value FROM platform.bus_log WHERE key = $1 ORDER BY topic, partition, "offset"`,
    [key],
  );
  return rows.map(({ value }) => JSON.parse(value) as CloudEvent);
}

/** Appends an event as its own service would, whose connection `url` is. */
export async function publishAs(
  url: string,
  source: string,
  { type, key, sequence, data }: { type: string; key: string; sequence: number; data: unknown },
): Promise<void> {
  const event: CloudEvent = {
    specversion: '1.0',
    id: newId(),
    source,
    type,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    dataschema: `test:${type}`,
    partitionkey: key,
    sequence,
    data,
  };
  const database = new Database({ url, schema: source, poolSize: 1, poolTimeoutMs: 5000 });
  try {
    await database.query('SELECT platform.bus_create_topic($1, 4)', [topicOf(type)]);
    await database.query('SELECT platform.bus_append($1, $2, $3, $4::jsonb[])', [
      [topicOf(type)],
      [key],
      [JSON.stringify(event)],
      ['{}'],
    ]);
  } finally {
    await database.close();
  }
}
