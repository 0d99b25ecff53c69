import { type DeadLetterReason, newId } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import type { Delivery } from './delivery.ts';
import type { EventKey } from './inbox.store.ts';

/** An event of a parked key. */
export interface HeldEvent {
  /** Its place in the line. */
  id: number;
  /** UUIDv7, its name outside. */
  letter: string;
  consumer: string;
  topic: string;
  key: string;
  event_id: string;
  event_type: string | null;
  /** `pending`: to be tried at `due_at`, or waiting behind others (null). `dead`: waiting for an operator. */
  state: 'pending' | 'dead';
  /** Tries that failed. */
  attempts: number;
  /** Tries that began and whose end was not seen. */
  begun: number;
  due_at: Date | null;
  record: Delivery['record'];
  value: string;
  reason: DeadLetterReason | null;
  held_at: Date;
  failed_at: Date | null;
}

/** A held event whose turn it is. */
export interface Begun {
  id: number;
  /** Tries that began and whose end was not seen. */
  unended: number;
}

/** From counting a try to having its key's lock it takes a statement or two. */
const BEGUN_MS = 2_000;

export interface DeadFilter {
  /** The letter of the last one seen. */
  after?: string;
  consumer?: string;
  type?: string;
  /** The reason's code. */
  reason?: string;
  failedFrom?: Date;
  failedBefore?: Date;
  limit: number;
}

export interface Verdict {
  state: HeldEvent['state'];
  /** Until the next try of one that is pending. */
  delayMs: number;
  reason: DeadLetterReason;
}

/** Events of parked keys. Every change is made in a transaction that has locked the key (InboxStore). */
@Injectable()
export class HeldEventsStore {
  constructor(private readonly database: Database) {}

  /**
   * Puts an event at the end of its key's line, with the verdict of a failed try or, without one, to wait. False: the
   * event was taken, or is in the line, already.
   */
  async append(delivery: Delivery, verdict?: Verdict & { tries: number }): Promise<boolean> {
    const rows = await this.database.query(
      `WITH appended AS (
         INSERT INTO held_events
           (letter, consumer, topic, key, event_id, event_type, state, attempts, due_at, record, value, reason, failed_at)
         SELECT $12, $1, $2, $3, $4, $5, $6, $7,
           CASE WHEN $8::float8 IS NULL THEN NULL ELSE clock_timestamp() + make_interval(secs => $8::float8) END,
           $9::jsonb, $10, $11::jsonb, CASE WHEN $11::jsonb IS NULL THEN NULL ELSE clock_timestamp() END
         WHERE NOT EXISTS (SELECT FROM inbox WHERE consumer = $1 AND event_id = $4)
         ON CONFLICT (consumer, event_id) DO NOTHING
         RETURNING id
       )
       UPDATE consumer_keys SET held = held + 1
       WHERE consumer = $1 AND topic = $2 AND key = $3 AND EXISTS (SELECT FROM appended)
       RETURNING 1`,
      [
        delivery.consumer,
        delivery.topic,
        delivery.key,
        delivery.eventId,
        delivery.eventType,
        verdict?.state ?? 'pending',
        verdict?.tries ?? 0,
        verdict?.state === 'pending' ? verdict.delayMs / 1000 : null,
        JSON.stringify(delivery.record),
        storable(delivery.value),
        verdict ? reasonJson(verdict.reason) : null,
        newId(),
      ],
    );
    return rows.length > 0;
  }

  /** Keys whose first event is due. */
  async due(limit: number): Promise<EventKey[]> {
    return this.database.query<EventKey>(
      `SELECT consumer, topic, key FROM held_events
       WHERE due_at <= clock_timestamp() AND state = 'pending' ORDER BY due_at LIMIT $1`,
      [limit],
    );
  }

  /** The first of a key's line. */
  async first({ consumer, topic, key }: EventKey): Promise<HeldEvent | undefined> {
    const [row] = await this.database.query<HeldEvent>(
      `SELECT * FROM held_events
       WHERE consumer = $1 AND topic = $2 AND key = $3 ORDER BY id LIMIT 1`,
      [consumer, topic, key],
    );
    return row;
  }

  /** The first of a key's line, if it is due: how many of its tries have begun and not ended. */
  async peek(key: EventKey): Promise<Begun | 'none' | 'busy'> {
    return this.dueFirst(key, (head) => `SELECT id, begun AS unended FROM ${head}`);
  }

  /**
   * The same, and one more try of it has begun: counted durably, and nobody else begins one until this one has the key's
   * lock, or its process can be taken for dead.
   */
  async begin(key: EventKey): Promise<Begun | 'none' | 'busy'> {
    return this.dueFirst(
      key,
      (head) => `UPDATE held_events h
         SET begun = h.begun + 1, due_at = clock_timestamp() + make_interval(secs => ${BEGUN_MS / 1000})
         FROM ${head} WHERE h.id = first.id RETURNING h.id, h.begun - 1 AS unended`,
    );
  }

  /** What was begun was not tried after all. */
  async unbegin(id: number): Promise<void> {
    await this.database.query(
      `UPDATE held_events SET begun = greatest(begun - 1, 0), due_at = clock_timestamp()
       WHERE id = $1 AND state = 'pending'`,
      [id],
    );
  }

  async find(letter: string): Promise<HeldEvent | undefined> {
    const [row] = await this.database.query<HeldEvent>(
      'SELECT * FROM held_events WHERE letter = $1',
      [letter],
    );
    return row;
  }

  /** Under the key's lock for as long as the statement takes. */
  private async dueFirst(
    { consumer, topic, key }: EventKey,
    statement: (head: string) => string,
  ): Promise<Begun | 'none' | 'busy'> {
    const [row] = await this.database.query<
      { locked: boolean } & (Begun | Record<keyof Begun, null>)
    >(
      `WITH locked AS MATERIALIZED (
         SELECT FROM consumer_keys WHERE consumer = $1 AND topic = $2 AND key = $3 FOR UPDATE SKIP LOCKED
       ), head AS MATERIALIZED (
         SELECT id, begun, state, due_at FROM held_events
         WHERE consumer = $1 AND topic = $2 AND key = $3 AND EXISTS (SELECT FROM locked) ORDER BY id LIMIT 1
       ), found AS (
         ${statement(`(SELECT * FROM head WHERE state = 'pending' AND due_at <= clock_timestamp()) first`)}
       )
       SELECT EXISTS (SELECT FROM locked) AS locked, found.id, found.unended FROM (SELECT) one LEFT JOIN found ON true`,
      [consumer, topic, key],
    );
    if (!row?.locked) return 'busy';
    return row.id === null ? 'none' : { id: row.id, unended: row.unended };
  }

  /** Takes the first of the line away; the next one is due at once, and without one the key is free. */
  async remove(held: Pick<HeldEvent, 'id'> & EventKey): Promise<void> {
    await this.database.query('DELETE FROM held_events WHERE id = $1', [held.id]);
    await this.database.query(
      `UPDATE held_events SET due_at = clock_timestamp() WHERE state = 'pending' AND id = (
         SELECT id FROM held_events WHERE consumer = $1 AND topic = $2 AND key = $3 ORDER BY id LIMIT 1
       )`,
      [held.consumer, held.topic, held.key],
    );
    await this.database.query(
      `UPDATE consumer_keys SET held = held - 1 WHERE consumer = $1 AND topic = $2 AND key = $3`,
      [held.consumer, held.topic, held.key],
    );
  }

  /** The verdict after so many more tries that failed. */
  async judge(id: number, tries: number, verdict: Verdict): Promise<void> {
    await this.database.query(
      `UPDATE held_events SET attempts = attempts + $5, begun = 0, state = $2, reason = $3::jsonb, failed_at = clock_timestamp(),
         due_at = CASE WHEN $2 = 'dead' THEN NULL ELSE clock_timestamp() + make_interval(secs => $4) END
       WHERE id = $1`,
      [id, verdict.state, reasonJson(verdict.reason), verdict.delayMs / 1000, tries],
    );
  }

  /** One that is dead gets one more try, now. */
  async revive(id: number, attempts: number): Promise<void> {
    await this.database.query(
      `UPDATE held_events SET state = 'pending', attempts = $2, begun = 0, due_at = clock_timestamp() WHERE id = $1`,
      [id, attempts],
    );
  }

  /** Dead letters, oldest first. */
  async dead(filter: DeadFilter): Promise<HeldEvent[]> {
    return this.database.query<HeldEvent>(
      `SELECT * FROM held_events
       WHERE state = 'dead' AND ($1::uuid IS NULL OR letter > $1) AND ($2::text IS NULL OR consumer = $2)
         AND ($3::text IS NULL OR event_type = $3) AND ($4::text IS NULL OR reason ->> 'code' = $4)
         AND ($5::timestamptz IS NULL OR failed_at >= $5) AND ($6::timestamptz IS NULL OR failed_at < $6)
       ORDER BY letter LIMIT $7`,
      [
        filter.after ?? null,
        filter.consumer ?? null,
        filter.type ?? null,
        filter.reason ?? null,
        filter.failedFrom ?? null,
        filter.failedBefore ?? null,
        filter.limit,
      ],
    );
  }

  /** How many events wait behind this one. */
  async waitingBehind(held: Pick<HeldEvent, 'id'> & EventKey): Promise<number> {
    const [row] = await this.database.query<{ n: number }>(
      `SELECT count(*) AS n FROM held_events WHERE consumer = $1 AND topic = $2 AND key = $3 AND id > $4`,
      [held.consumer, held.topic, held.key, held.id],
    );
    return row?.n ?? 0;
  }

  async counts(): Promise<{ consumer: string; dead: number; keys: number }[]> {
    return this.database.query(
      `SELECT consumer, count(*) FILTER (WHERE state = 'dead') AS dead, count(DISTINCT (topic, key)) AS keys
       FROM held_events GROUP BY consumer`,
    );
  }
}

/** jsonb takes no NUL. */
function reasonJson(reason: DeadLetterReason): string {
  return JSON.stringify(reason).replaceAll('\\u0000', '\\ufffd');
}

/** Nor does text; only a value that is no JSON can hold one unescaped. */
function storable(value: string): string {
  return value.replaceAll('\0', '\ufffd');
}
