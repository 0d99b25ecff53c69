import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** A key whose later events wait behind one that was not handled. */
export interface ParkedKey {
  /** Its place in the list. */
  place: string;
  consumer: string;
  topic: string;
  key: string;
  /** When the event at the head of the line was put there. */
  since: Date;
  /** `pending`: its head is tried again at `dueAt`; `dead`: it waits for an operator. */
  state: 'pending' | 'dead';
  attempts: number;
  dueAt: Date | null;
  /** Events behind the head. */
  waiting: number;
  /** Of the head, where it is a dead letter. */
  deadLetterId: string | null;
}

export interface ParkedKeysQuery {
  consumer?: string;
  /** The place of the last one seen. */
  after?: string;
  /** Default 25. */
  limit?: number;
}

/** The lines of held events, by the event at their head. */
@Injectable()
export class ParkedKeys {
  constructor(private readonly database: Database) {}

  async list({ consumer, after, limit = 25 }: ParkedKeysQuery): Promise<ParkedKey[]> {
    return this.database.query<ParkedKey>(
      `SELECT head.id::text AS place, head.consumer, head.topic, head.key, head.held_at AS since, head.state, head.attempts,
         head.due_at AS "dueAt", (k.held - 1)::int AS waiting,
         CASE WHEN head.state = 'dead' THEN head.letter END AS "deadLetterId"
       FROM held_events head
       JOIN consumer_keys k ON k.consumer = head.consumer AND k.topic = head.topic AND k.key = head.key
       WHERE head.id > $1 AND ($2::text IS NULL OR head.consumer = $2)
         AND NOT EXISTS (SELECT FROM held_events before
                         WHERE before.consumer = head.consumer AND before.topic = head.topic AND before.key = head.key
                           AND before.id < head.id)
       ORDER BY head.id LIMIT $3`,
      [after ?? '0', consumer ?? null, limit],
    );
  }
}
