import { Injectable, Logger } from '@nestjs/common';

import type { RouteRules } from '../access/route-rules.ts';
import type { AuditedRequest } from '../decorators/audited.decorator.ts';
import { GuardMetrics } from '../metrics/guard-metrics.ts';
import { AuditTrail } from './audit-trail.ts';
import { PendingAudit } from './pending-audit.ts';

/** Records a denial where it happens, once: interceptors, and so the record of `@Audited`, do not run for it. */
@Injectable()
export class DenialRecorder {
  private readonly logger = new Logger(DenialRecorder.name);

  constructor(
    private readonly trail: AuditTrail,
    private readonly metrics: GuardMetrics,
  ) {}

  /** Never fails: a denial that cannot be recorded is still a denial, logged and counted. */
  async record(rules: RouteRules, code: string, request?: AuditedRequest): Promise<void> {
    this.metrics.denials.inc({ operation: rules.operation, code });
    const action =
      rules.audited?.action ??
      (rules.access?.kind === 'permission' ? rules.access.permission : undefined);
    // A service that may not call a method is a fault in the platform or an intruder: the log tells its operators.
    if (action === undefined) {
      this.logger.warn({ operation: rules.operation, code }, 'refused a call');
      return;
    }
    const target =
      request === undefined
        ? undefined
        : new PendingAudit({ action }, request).success(undefined).target;
    try {
      await this.trail.record({
        action,
        target,
        outcome: 'denied',
        reason: code,
        metadata: { operation: rules.operation },
      });
    } catch (error) {
      this.metrics.auditFailures.inc();
      this.logger.error(
        { err: error, operation: rules.operation, code },
        'a denial could not be recorded',
      );
    }
  }
}
