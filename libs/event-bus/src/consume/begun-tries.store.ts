import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import type { Delivery } from './delivery.ts';

type Which = Pick<Delivery, 'consumer' | 'eventId'>;

/** Tries that have begun and whose end was not seen: the process may have ended with them. Each statement stands by itself. */
@Injectable()
export class BegunTriesStore {
  constructor(private readonly database: Database) {}

  /** How many of this event. */
  async count({ consumer, eventId }: Which): Promise<number> {
    const [row] = await this.database.query<{ tries: number }>(
      'SELECT tries FROM begun_tries WHERE consumer = $1 AND event_id = $2',
      [consumer, eventId],
    );
    return row?.tries ?? 0;
  }

  /** One more, unless the event was taken already. */
  async begin({ consumer, eventId }: Which): Promise<void> {
    await this.database.query(
      `INSERT INTO begun_tries AS b (consumer, event_id) SELECT $1, $2
       WHERE NOT EXISTS (SELECT FROM inbox WHERE consumer = $1 AND event_id = $2)
         AND NOT EXISTS (SELECT FROM held_events WHERE consumer = $1 AND event_id = $2)
       ON CONFLICT (consumer, event_id) DO UPDATE SET tries = b.tries + 1, begun_at = clock_timestamp()`,
      [consumer, eventId],
    );
  }

  async end({ consumer, eventId }: Which): Promise<void> {
    await this.database.query('DELETE FROM begun_tries WHERE consumer = $1 AND event_id = $2', [
      consumer,
      eventId,
    ]);
  }

  async prune(olderThanMs: number): Promise<void> {
    await this.database.query(
      'DELETE FROM begun_tries WHERE begun_at < clock_timestamp() - make_interval(secs => $1)',
      [olderThanMs / 1000],
    );
  }
}
