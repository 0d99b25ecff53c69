import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/**
 * @typedef {{ id: string, type: string, source: string, key: string, sequence: number, subject: string, time: string }} WireEvent
 *
 * @typedef {object} Wire what a consumer that is not ours sees
 * @property {() => Promise<WireEvent[]>} events everything so far, in order per partition; what was sent twice is there twice
 * @property {(service: string, topic: string, key: string, value: string) => Promise<void>} produce as the service itself
 *   would, whatever it is
 * @property {() => Promise<void>} close
 */

/** The log in PostgreSQL. @returns {Wire} */
export function postgresWire(platform) {
  return {
    async events() {
      const rows = await platform.database('platform')(
        'SELECT value FROM platform.bus_log WHERE value IS NOT NULL ORDER BY topic, partition, "offset"',
      );
      return rows.flatMap(({ value }) => eventOf(value));
    },
    async produce(service, topic, key, value) {
      const file = join(platform.credentialsDirOf(service), 'database-url');
      const client = new pg.Client({ connectionString: readFileSync(file, 'utf8').trim() });
      await client.connect();
      try {
        await client.query(
          `SELECT platform.bus_append(ARRAY[$1], ARRAY[$2], ARRAY[$3], ARRAY['{}'::jsonb])`,
          [topic, key, value],
        );
      } finally {
        await client.end();
      }
    },
    close: () => Promise.resolve(),
  };
}

/** What is no event, or was put there by a row (`chaos-...`), is left out. */
export function eventOf(text) {
  try {
    const { id, type, source, partitionkey: key, sequence, time } = JSON.parse(text);
    return id.startsWith('chaos-') ? [] : [{ id, type, source, key, sequence, subject: key, time }];
  } catch {
    return [];
  }
}
