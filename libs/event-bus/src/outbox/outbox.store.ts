import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { outboxConsumer } from './outbox-consumer.ts';
import { OUTBOX_PARTITIONS } from './outbox-partition.ts';

/** What a sink is given: rows of one channel, in order of id. */
export class OutboxRow {
  constructor(
    readonly id: number,
    readonly key: string,
    readonly topic: string | null,
    /** The payload as it is stored: JSON. */
    readonly text: string,
    /** Another row of its key was refused: it waits behind that one. */
    readonly parked = false,
    /** Since when it has been there, on the clock of `performance.now()`. */
    readonly since = performance.now(),
  ) {}

  get payload(): unknown {
    return JSON.parse(this.text) as unknown;
  }
}

/** A partition this process holds the lease of. */
export interface HeldLease {
  channel: string;
  partition: number;
  /** There is something to send. */
  pending: boolean;
}

export interface OutboxDepth {
  channel: string;
  depth: number;
  oldestSeconds: number;
}

/** Deeper than this is reported as this: counting is not worth a scan of everything. */
const COUNTED = 10_000;

/** The relay's statements. Each is its own short transaction: nothing is locked while a sink works. */
@Injectable()
export class OutboxStore {
  constructor(private readonly database: Database) {}

  async prepare(channel: string): Promise<void> {
    await this.database.query(
      `INSERT INTO outbox_leases (channel, partition)
       SELECT $1, generate_series(0, $2::int - 1) ON CONFLICT DO NOTHING`,
      [channel, OUTBOX_PARTITIONS],
    );
  }

  /** Renews what the owner has and takes what nobody has; says where there is work. */
  async lease(owner: string, channels: readonly string[], leaseMs: number): Promise<HeldLease[]> {
    return this.database.query<HeldLease>(
      `WITH held AS (
         UPDATE outbox_leases SET owner = $1, expires_at = clock_timestamp() + make_interval(secs => $3)
         WHERE (channel, partition) IN (
           SELECT channel, partition FROM outbox_leases
           WHERE channel = ANY ($2) AND (owner = $1 OR expires_at < clock_timestamp())
           ORDER BY channel, partition FOR UPDATE SKIP LOCKED
         )
         RETURNING channel, partition
       )
       SELECT channel, partition::int,
         EXISTS (SELECT FROM outbox o WHERE o.channel = held.channel AND o.partition = held.partition) AS pending
       FROM held`,
      [owner, channels, leaseMs / 1000],
    );
  }

  async release(owner: string): Promise<void> {
    await this.database.query(
      `UPDATE outbox_leases SET owner = NULL, expires_at = '-infinity' WHERE owner = $1`,
      [owner],
    );
  }

  async next(channel: string, partition: number, limit: number): Promise<OutboxRow[]> {
    const rows = await this.database.query<{
      id: number;
      key: string;
      topic: string | null;
      payload: string;
      parked: boolean;
      waited: number;
    }>(
      `SELECT id, key, topic, payload,
         extract(epoch FROM clock_timestamp() - created_at)::float AS waited,
         EXISTS (SELECT FROM consumer_keys k
                 WHERE k.consumer = $4 AND k.topic = coalesce(o.topic, o.channel) AND k.key = o.key AND k.held > 0) AS parked
       FROM outbox o
       WHERE channel = $1 AND partition = $2 ORDER BY id LIMIT $3`,
      [channel, partition, limit, outboxConsumer(channel)],
    );
    const now = performance.now();
    return rows.map(
      ({ id, key, topic, payload, parked, waited }) =>
        new OutboxRow(id, key, topic, payload, parked, now - waited * 1000),
    );
  }

  /** In the current transaction; false: it is not there any more. */
  async take(row: OutboxRow): Promise<boolean> {
    const taken = await this.database.query('DELETE FROM outbox WHERE id = $1 RETURNING 1', [
      row.id,
    ]);
    return taken.length > 0;
  }

  async delete(rows: readonly OutboxRow[]): Promise<void> {
    await this.database.query('DELETE FROM outbox WHERE id = ANY ($1::bigint[])', [
      rows.map((row) => row.id),
    ]);
  }

  /** Wakes the relays of the other instances; a transaction of its own, never the business's. */
  async notifyOthers(notice: string): Promise<void> {
    await this.database.query('SELECT pg_notify($1, $2)', [OUTBOX_NOTICE, notice]);
  }

  async depths(channels: readonly string[]): Promise<OutboxDepth[]> {
    return this.database.query<OutboxDepth>(
      `SELECT c.channel, (SELECT count(*) FROM (SELECT FROM outbox o WHERE o.channel = c.channel LIMIT ${COUNTED}) n)::int AS depth,
         coalesce(extract(epoch FROM clock_timestamp() - (
           SELECT min((SELECT o.created_at FROM outbox o
                       WHERE o.channel = c.channel AND o.partition = p ORDER BY o.id LIMIT 1))
           FROM generate_series(0, $2::int - 1) p
         )), 0)::float AS "oldestSeconds"
       FROM unnest($1::text[]) c (channel)`,
      [channels, OUTBOX_PARTITIONS],
    );
  }
}

export const OUTBOX_NOTICE = 'gatehouse_outbox';
