import { currentTransaction, Database, type Transaction } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { OutboxRelay } from './outbox-relay.ts';
import { outboxPartitionOf } from './outbox-partition.ts';

/** A row to be sent once the transaction has committed. */
export interface OutboxEntry {
  channel: string;
  key: string;
  /** JSON. */
  payload: string;
  /** Of events. */
  topic?: string;
}

const CHANNELS = Symbol('channels of the outbox written in this transaction');

/**
 * What a transaction leaves to be sent after it: rows in the service's own schema that the relay hands to the channel's
 * sink, at least once, and deletes when the sink has taken them.
 */
@Injectable()
export class Outbox {
  constructor(
    private readonly database: Database,
    private readonly relay: OutboxRelay,
  ) {}

  /**
   * Adds a row in the current transaction. Rows of one key are sent in order of their ids; ids of concurrent transactions
   * follow their commits only where something else orders them (as the version row does for events).
   * @throws outside a transaction
   */
  async enqueue(channel: string, key: string, payload: object): Promise<void> {
    await this.insert([{ channel, key, payload: JSON.stringify(payload) }]);
  }

  /** The same for many rows: ids grow in the order given. */
  async insert(entries: readonly OutboxEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const transaction = currentTransaction();
    if (!transaction) throw new Error('The outbox is written inside a transaction only');
    const partitions = entries.map((entry) => outboxPartitionOf(entry.key));
    await this.database.query(
      `INSERT INTO outbox (channel, partition, topic, key, payload)
       SELECT u.channel, u.partition, u.topic, u.key, u.payload
       FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[], $5::text[])
         WITH ORDINALITY u (channel, partition, topic, key, payload, place)
       ORDER BY u.place`,
      [
        entries.map((entry) => entry.channel),
        partitions,
        entries.map((entry) => entry.topic ?? null),
        entries.map((entry) => entry.key),
        entries.map((entry) => entry.payload),
      ],
    );
    this.wakeAfterCommit(transaction, entries, partitions);
  }

  private wakeAfterCommit(
    transaction: Transaction,
    entries: readonly OutboxEntry[],
    partitions: readonly number[],
  ): void {
    let written = transaction.locals.get(CHANNELS) as Map<string, [string, number]> | undefined;
    if (!written) {
      const first = new Map<string, [string, number]>();
      written = first;
      transaction.locals.set(CHANNELS, first);
      transaction.afterCommit(() => {
        for (const [channel, partition] of first.values()) this.relay.wake(channel, partition);
      });
    }
    for (const [index, { channel }] of entries.entries()) {
      const partition = partitions[index] ?? 0;
      written.set(`${channel}/${partition}`, [channel, partition]);
    }
  }
}
