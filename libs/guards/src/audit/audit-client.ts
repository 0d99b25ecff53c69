import { type ClientOf, InjectClient } from '@gatehouse/clients';
import { type AuditEntry, auditV1, Outcome } from '@gatehouse/contracts-audit';
import { PlatformError, toTimestamp } from '@gatehouse/contracts-platform';
import { Injectable, Logger } from '@nestjs/common';

import { detached } from '../following/detached.ts';
import { GuardMetrics } from '../metrics/guard-metrics.ts';
import type { AuditRecord } from './audit-entry.ts';

/** The most entries `RecordBatch` takes. */
export const MAX_BATCH = 500;

const OUTCOMES = {
  success: Outcome.OUTCOME_SUCCESS,
  failure: Outcome.OUTCOME_FAILURE,
  denied: Outcome.OUTCOME_DENIED,
} as const;

/** Hands entries to Audit, as this service and not as the user: Audit stamps `recorded_by` from `Gatehouse-Via`. */
@Injectable()
export class AuditClient {
  private readonly logger = new Logger(AuditClient.name);

  constructor(
    @InjectClient(auditV1) private readonly audit: ClientOf<typeof auditV1>,
    private readonly metrics: GuardMetrics,
  ) {}

  /** Resolves when Audit has the entry durably. */
  async record(entry: AuditRecord): Promise<void> {
    await this.audit.record({ entry: toMessage(entry) }, { as: 'service' });
  }

  /**
   * Resolves when Audit has all of them durably, in whatever batches. An entry that Audit refuses as invalid can never
   * be taken: it is logged whole and counted, and does not hold up the others.
   */
  async recordAll(entries: readonly AuditRecord[]): Promise<void> {
    for (let from = 0; from < entries.length; from += MAX_BATCH) {
      await this.recordBatch(entries.slice(from, from + MAX_BATCH));
    }
  }

  private async recordBatch(entries: readonly AuditRecord[]): Promise<void> {
    try {
      await detached(() =>
        this.audit.recordBatch(
          { entries: entries.map(toMessage) },
          { as: 'service', deadlineMs: 10_000 },
        ),
      );
    } catch (error) {
      if (!(error instanceof PlatformError) || error.kind !== 'invalid-argument') throw error;
      const [first, ...others] = entries;
      if (first === undefined) return;
      if (others.length === 0) {
        this.metrics.auditRefused.inc();
        this.logger.error(
          { err: error, entry: { ...first, personal: first.personal.length } },
          'Audit refused an entry',
        );
        return;
      }
      // Halves find the one that is wrong in few calls.
      const middle = Math.ceil(entries.length / 2);
      await this.recordBatch(entries.slice(0, middle));
      await this.recordBatch(entries.slice(middle));
    }
  }
}

function toMessage(entry: AuditRecord): AuditEntry {
  return {
    ...entry,
    occurredAt: toTimestamp(new Date(entry.occurredAt)),
    outcome: OUTCOMES[entry.outcome],
    personal: entry.personal.map((field) => ({ ...field })),
  };
}
