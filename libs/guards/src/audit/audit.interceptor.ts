import { requestContext } from '@gatehouse/kernel';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { catchError, from, mergeMap, type Observable } from 'rxjs';

import { inboundCall } from '../access/inbound-call.ts';
import { RouteRulesReader } from '../access/route-rules.ts';
import { GuardMetrics } from '../metrics/guard-metrics.ts';
import { AuditTrail } from './audit-trail.ts';
import { PendingAudit } from './pending-audit.ts';

/** Asked after a success: whether the answer is an earlier call's, recorded then (`Idempotency-Key`). */
export const NOTHING_DONE = Symbol('nothing was done for this call');

/**
 * Records `@Audited` calls, once each. A success whose command ran in a transaction has its entry there already (see
 * AuditTransactionHook); what is left, a read or a failure, is recorded afterwards. A read that cannot be recorded
 * fails; a failure that cannot be recorded stays the failure it was, and is counted.
 */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  private readonly logger = new Logger(AuditInterceptor.name);

  constructor(
    private readonly rules: RouteRulesReader,
    private readonly trail: AuditTrail,
    private readonly metrics: GuardMetrics,
    @Inject(NOTHING_DONE) private readonly nothingDone: () => boolean,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { audited } = this.rules.of(context);
    if (audited === undefined) return next.handle();
    const pending = new PendingAudit(audited, inboundCall(context).request);
    pending.attach(requestContext.require());
    return next.handle().pipe(
      catchError((error: unknown) => from(this.recordFailure(pending, error))),
      mergeMap((result) => from(this.recordSuccess(pending, result))),
    );
  }

  private async recordSuccess(pending: PendingAudit, result: unknown): Promise<unknown> {
    if (!pending.recorded && !this.nothingDone()) {
      pending.recorded = true;
      await this.trail.record(pending.success(result));
    }
    return result;
  }

  private async recordFailure(pending: PendingAudit, error: unknown): Promise<never> {
    // The entry's own transaction must not take itself for a success of the call.
    pending.recorded = true;
    try {
      await this.trail.record(pending.failure(error));
    } catch (trouble) {
      this.metrics.auditFailures.inc();
      this.logger.error({ err: trouble }, 'a failed call could not be recorded');
    }
    throw error;
  }
}
