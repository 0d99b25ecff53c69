import { Outbox, OutboxRelay } from '@gatehouse/event-bus';
import { currentTransaction, Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { AuditClient } from './audit-client.ts';
import type { AuditInput, AuditRecord } from './audit-entry.ts';
import { auditRecord } from './audit-record.ts';
import { AuditTrail } from './audit-trail.ts';
import { PendingAudit } from './pending-audit.ts';

const CHANNEL = 'audit';

/** Entries go through the service's outbox, in the transaction of what they record; the relay hands them to Audit. */
@Injectable()
export class OutboxAuditTrail extends AuditTrail {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly client: AuditClient,
    relay: OutboxRelay,
  ) {
    super();
    relay.registerSink(CHANNEL, (rows) =>
      this.client.recordAll(rows.map(({ payload }) => payload as AuditRecord)),
    );
  }

  override async record(entry: AuditInput): Promise<void> {
    const record = auditRecord(entry);
    // Entries stand alone: the id as key spreads them over the relay's partitions.
    const enqueue = (): Promise<void> => this.outbox.enqueue(CHANNEL, record.id, record);
    await (currentTransaction() === undefined ? this.database.transaction(enqueue) : enqueue());
  }

  override async recordNow(entry: AuditInput): Promise<void> {
    await this.client.record(auditRecord(entry));
    PendingAudit.settle(entry);
  }
}
