import type { Database } from '@gatehouse/persistence';

interface Aggregate {
  topic: string;
  key: string;
}

/**
 * The next sequence of each aggregate, one per place in the list. The version rows stay locked until the transaction
 * ends: whoever draws later commits later, so ids drawn after this keep the order of the key. Rows are locked in one order
 * by everybody, so that two transactions never wait for each other in a circle.
 */
export async function nextSequences(
  database: Database,
  aggregates: readonly Aggregate[],
): Promise<number[]> {
  const counted = Map.groupBy(aggregates, nameOf);
  const wanted = [...counted.values()]
    .map((same) => ({ ...(same[0] as Aggregate), count: same.length }))
    .sort((a, b) => compare(a.topic, b.topic) || compare(a.key, b.key));
  const rows = await database.query<Aggregate & { version: string }>(
    `INSERT INTO aggregate_versions (topic, key, version)
     SELECT u.topic, u.key, u.version
     FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY u (topic, key, version, place)
     ORDER BY u.place
     ON CONFLICT (topic, key) DO UPDATE SET version = aggregate_versions.version + excluded.version
     RETURNING topic, key, version`,
    [
      wanted.map((aggregate) => aggregate.topic),
      wanted.map((aggregate) => aggregate.key),
      wanted.map((aggregate) => aggregate.count),
    ],
  );
  const next = new Map(
    rows.map((row) => [
      nameOf(row),
      Number(row.version) - (counted.get(nameOf(row))?.length ?? 0) + 1,
    ]),
  );
  return aggregates.map((aggregate) => {
    const name = nameOf(aggregate);
    const sequence = next.get(name);
    if (sequence === undefined) throw new Error(`No sequence was drawn for ${name}`);
    next.set(name, sequence + 1);
    return sequence;
  });
}

function nameOf({ topic, key }: Aggregate): string {
  return `${topic} ${key}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
