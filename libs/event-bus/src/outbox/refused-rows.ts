import { toDeadLetter } from '@gatehouse/kernel';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import type { Delivery } from '../consume/delivery.ts';
import { HeldEventsStore } from '../consume/held-events.store.ts';
import { InboxStore } from '../consume/inbox.store.ts';
import { outboxConsumer } from './outbox-consumer.ts';
import { type OutboxRow, OutboxStore } from './outbox.store.ts';

/**
 * Rows that their sink will never take, put aside so that others go on: each becomes a dead letter of the channel, and
 * later rows of its key wait behind it, in order, until a replay or a discard releases them.
 */
@Injectable()
export class RefusedRows {
  constructor(
    private readonly database: Database,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly store: OutboxStore,
  ) {}

  /** The first of a key's rows that are left. */
  async putAside(channel: string, row: OutboxRow, error: unknown): Promise<void> {
    const delivery = deliveryOf(channel, row);
    const verdict = { state: 'dead', delayMs: 0, reason: toDeadLetter(error), tries: 1 } as const;
    await this.database.transaction(async () => {
      const first = (await this.inbox.lock(delivery)) === 0;
      if (await this.store.take(row)) await this.held.append(delivery, first ? verdict : undefined);
    });
  }

  /** Rows in order of id; what is not parked any more stays where it is, to be sent. */
  async followParked(channel: string, rows: readonly OutboxRow[]): Promise<void> {
    for (const row of rows) {
      const delivery = deliveryOf(channel, row);
      await this.database.transaction(async () => {
        if ((await this.inbox.lock(delivery)) === 0) return;
        if (await this.store.take(row)) await this.held.append(delivery);
      });
    }
  }
}

function deliveryOf(channel: string, row: OutboxRow): Delivery {
  const { type } = row.payload as { type?: unknown };
  return {
    consumer: outboxConsumer(channel),
    topic: row.topic ?? channel,
    key: row.key,
    eventId: `outbox/${row.id}`,
    eventType: typeof type === 'string' ? type : null,
    value: row.text,
    record: { partition: 0, offset: String(row.id), appended_at: new Date().toISOString() },
  };
}
