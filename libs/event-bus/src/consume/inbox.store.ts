import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import type { Delivery } from './delivery.ts';

/** What a consumer finds when it is about to take an event. */
export interface Entry {
  /** Events of the key that wait; while there are any, the key is parked. */
  held: number;
  /** The inbox row was written now: nobody has taken the event yet. Always false while the key is parked. */
  fresh: boolean;
}

export type EventKey = Pick<Delivery, 'consumer' | 'topic' | 'key'>;

/**
 * The inbox, and the row per key that handling, parking, appending and releasing lock.
 *
 * Whoever locks a key to handle an event also bounds the transaction: a process that sleeps with the key (SIGSTOP, a dead
 * host, a handler that waits for ever) loses the transaction when the handler's time is up, and another instance goes on.
 */
@Injectable()
export class InboxStore {
  constructor(
    private readonly database: Database,
    private readonly config: EventBusConfig,
  ) {}

  /**
   * In the current transaction: locks the key and, unless it is parked, writes the inbox row. One statement: both states
   * are read under their own locks, not from the statement's snapshot.
   */
  async enter(delivery: Delivery): Promise<Entry> {
    const [entry] = await this.database.query<Entry>(
      `WITH locked AS (
         INSERT INTO consumer_keys (consumer, topic, key) VALUES ($1, $2, $3)
         ON CONFLICT (consumer, topic, key) DO UPDATE SET touched_at = clock_timestamp()
         RETURNING held
       ), entered AS (
         INSERT INTO inbox (consumer, event_id) SELECT $1, $4 FROM locked WHERE held = 0
         ON CONFLICT DO NOTHING RETURNING 1
       )
       SELECT (SELECT held FROM locked)::int AS held, EXISTS (SELECT FROM entered) AS fresh,
         set_config('idle_in_transaction_session_timeout', $5, true)`,
      [delivery.consumer, delivery.topic, delivery.key, delivery.eventId, this.idleTimeout],
    );
    if (!entry) throw new Error('The key could not be locked');
    return entry;
  }

  /** In the current transaction: locks the key, made if need be; returns how many events of it wait. */
  async lock({ consumer, topic, key }: EventKey): Promise<number> {
    const [row] = await this.database.query<{ held: number }>(
      `INSERT INTO consumer_keys (consumer, topic, key) VALUES ($1, $2, $3)
       ON CONFLICT (consumer, topic, key) DO UPDATE SET touched_at = clock_timestamp()
       RETURNING held`,
      [consumer, topic, key],
    );
    return row?.held ?? 0;
  }

  /** Locks a key that exists, to handle an event of it; false where somebody else has it. */
  async tryLock({ consumer, topic, key }: EventKey): Promise<boolean> {
    const rows = await this.database.query(
      `SELECT set_config('idle_in_transaction_session_timeout', $4, true) FROM (
         SELECT FROM consumer_keys WHERE consumer = $1 AND topic = $2 AND key = $3 FOR UPDATE SKIP LOCKED
       ) locked`,
      [consumer, topic, key, this.idleTimeout],
    );
    return rows.length > 0;
  }

  /** In the current transaction, the key locked: the event counts as taken. False: it did before. */
  async remember(consumer: string, eventId: string): Promise<boolean> {
    const rows = await this.database.query(
      `INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1`,
      [consumer, eventId],
    );
    return rows.length > 0;
  }

  /**
   * Forgets what is older than this, at most `limit` rows of each table; returns whether there may be more. An event that
   * still waits has no inbox row, so that a replay after years works.
   */
  async prune(olderThanMs: number, limit: number): Promise<boolean> {
    const [pruned] = await this.database.query<{ inbox: number; keys: number }>(
      `WITH forgotten AS (
         DELETE FROM inbox WHERE (consumer, event_id) IN (
           SELECT consumer, event_id FROM inbox
           WHERE handled_at < clock_timestamp() - make_interval(secs => $1) LIMIT $2
         ) RETURNING 1
       ), unused AS (
         DELETE FROM consumer_keys WHERE held = 0 AND touched_at < clock_timestamp() - make_interval(secs => $1)
         AND (consumer, topic, key) IN (
           SELECT consumer, topic, key FROM consumer_keys
           WHERE held = 0 AND touched_at < clock_timestamp() - make_interval(secs => $1)
           LIMIT $2 FOR UPDATE SKIP LOCKED
         ) RETURNING 1
       )
       SELECT (SELECT count(*) FROM forgotten)::int AS inbox, (SELECT count(*) FROM unused)::int AS keys`,
      [olderThanMs / 1000, limit],
    );
    return (pruned?.inbox ?? 0) >= limit || (pruned?.keys ?? 0) >= limit;
  }

  private get idleTimeout(): string {
    return `${this.config.EVENT_HANDLER_TIMEOUT_MS}ms`;
  }
}
