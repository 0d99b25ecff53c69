import { Lifecycle } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';

import { GuardsConfig } from '../guards.config.ts';
import { GuardMetrics } from '../metrics/guard-metrics.ts';
import { AuditClient } from './audit-client.ts';
import { AuditTrail } from './audit-trail.ts';
import { NOTHING_DONE } from './audit.interceptor.ts';
import { BufferedAuditTrail } from './buffered-audit-trail.ts';

/** The audit trail of a process without a schema. What waits is handed over in stop phase `flush`. */
export const bufferedAudit = {
  providers: [
    {
      provide: BufferedAuditTrail,
      useFactory: (
        client: AuditClient,
        config: GuardsConfig,
        metrics: GuardMetrics,
        lifecycle: Lifecycle,
      ) => {
        const logger = new Logger(BufferedAuditTrail.name);
        const trail = new BufferedAuditTrail(client, {
          capacity: config.AUDIT_BUFFER_SIZE,
          onOverflow: (dropped) => metrics.auditOverflow.inc(dropped),
          onError: (error) => logger.debug({ err: error }, 'audit entries wait'),
        });
        metrics.watchBuffer(() => trail.size);
        lifecycle.onStop('flush', 'hand over audit entries', () => trail.flush());
        return trail;
      },
      inject: [AuditClient, GuardsConfig, GuardMetrics, Lifecycle],
    },
    { provide: AuditTrail, useExisting: BufferedAuditTrail },
    { provide: NOTHING_DONE, useValue: () => false },
  ],
  exports: [AuditTrail, BufferedAuditTrail],
};
