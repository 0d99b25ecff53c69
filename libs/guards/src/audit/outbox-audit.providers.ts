import { isReplayedAnswer } from '@gatehouse/persistence';

import { AuditTrail } from './audit-trail.ts';
import { AuditTransactionHook } from './audit-transaction-hook.ts';
import { NOTHING_DONE } from './audit.interceptor.ts';
import { OutboxAuditTrail } from './outbox-audit-trail.ts';

/** The audit trail of a service with a schema. */
export const outboxAudit = {
  providers: [
    { provide: AuditTrail, useClass: OutboxAuditTrail },
    AuditTransactionHook,
    { provide: NOTHING_DONE, useValue: isReplayedAnswer },
  ],
  exports: [AuditTrail],
};
