import { type AuditEntry, auditV1, Outcome } from '@gatehouse/contracts-audit';
import { toTimestamp } from '@gatehouse/contracts-platform';
import { eventBusMigrations } from '@gatehouse/event-bus';
import { ServiceUnderTest } from '@gatehouse/guards/testing/service';
import { newId } from '@gatehouse/kernel';

import { AuditModule } from '../src/audit.module.ts';
import { auditMigrations } from '../src/migrations/audit.migrations.ts';

/** Audit, whole, on a database of its own. */
export function startAudit(env: Record<string, string> = {}): Promise<ServiceUnderTest> {
  return ServiceUnderTest.start(AuditModule, {
    packageDir: new URL('..', import.meta.url).pathname,
    migrations: [...eventBusMigrations, ...auditMigrations],
    env,
  });
}

/** As a service would send it: something that happened just now. */
export function entryOf(known: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: newId(),
    occurredAt: toTimestamp(new Date()),
    actor: { type: 'user', id: newId(), sessionId: newId() },
    action: 'identity.user.update',
    target: { type: 'user', id: newId() },
    outcome: Outcome.OUTCOME_SUCCESS,
    reason: '',
    organizationId: '',
    metadataJson: '{"members":["display_name"]}',
    personal: [],
    requestId: newId(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    ...known,
  };
}

export const client = (audit: ServiceUnderTest, as = 'identity', at = audit.first) =>
  audit.client(auditV1, as, at.running);

export interface Row {
  leaf_index: number;
  id: string;
  bytes: Buffer;
  leaf_hash: Buffer;
  recorded_by: string;
}

/** The log as it stands in the table, in order. */
export const rowsOf = (audit: ServiceUnderTest) =>
  audit.sql<Row>('SELECT * FROM audit.entries ORDER BY leaf_index');
