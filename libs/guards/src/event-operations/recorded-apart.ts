import { requestContext } from '@gatehouse/kernel';

import { PendingAudit } from '../audit/pending-audit.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';

/**
 * One of many things a call does, with an audit entry of its own in its own transaction: whatever ends the call half way,
 * what was done by then is on record.
 * @throws what the work threw, recorded as a failure
 */
export async function recordedApart<T>(
  trail: AuditTrail,
  { action, id }: { action: string; id: string },
  work: () => Promise<T>,
): Promise<T> {
  const pending = new PendingAudit({ action }, { params: { id }, query: {}, body: undefined });
  const context = requestContext.require();
  const apart = { ...context, locals: new Map(context.locals) };
  pending.attach(apart);
  return requestContext.run(apart, async () => {
    try {
      return await work();
    } catch (error) {
      // The entry's own transaction must not take itself for a success.
      pending.recorded = true;
      await trail.record(pending.failure(error));
      throw error;
    }
  });
}
