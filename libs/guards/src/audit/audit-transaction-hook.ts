import { requestContext } from '@gatehouse/kernel';
import { type Transaction, TransactionHooks } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { AuditTrail } from './audit-trail.ts';
import { PendingAudit } from './pending-audit.ts';

/**
 * Writes the entry of an `@Audited` success into the first transaction of the call that commits: both are there, or
 * neither. An attempt that is rolled back takes its entry with it, and the entry is owed again.
 */
@Injectable()
export class AuditTransactionHook {
  constructor(
    private readonly trail: AuditTrail,
    hooks: TransactionHooks,
  ) {
    hooks.onBeforeCommit((tx, result) => this.record(tx, result));
  }

  private async record(tx: Transaction, result: unknown): Promise<void> {
    const pending = PendingAudit.of(requestContext.current());
    if (pending === undefined || pending.recorded) return;
    pending.recorded = true;
    tx.afterRollback(() => {
      pending.recorded = false;
    });
    await this.trail.record(pending.success(result));
  }
}
