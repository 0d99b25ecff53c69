import { canonicalJson, newId, requestContext } from '@gatehouse/kernel';

import type { AuditActor, AuditInput, AuditRecord, AuditTarget } from './audit-entry.ts';

const MAX_METADATA_BYTES = 16 * 1024;
const MAX_TARGET_ID = 500;

/** The whole entry of an action: what the caller says, completed from the work in hand. Never fails for what it is given. */
export function auditRecord(input: AuditInput): AuditRecord {
  const work = requestContext.current();
  return {
    id: newId(),
    occurredAt: (input.occurredAt ?? new Date()).toISOString(),
    actor: actorOf(input),
    action: input.action,
    target: fitting(input.target ?? { type: resourceOf(input.action), id: '' }),
    outcome: input.outcome ?? 'success',
    reason: input.reason ?? '',
    organizationId: input.organizationId ?? work?.principal?.organizationId ?? '',
    metadataJson: metadataJson(input.metadata),
    personal: (input.personal ?? []).map(({ subjectId, name, value }) => ({
      subjectId,
      name,
      value: value.toWellFormed(),
    })),
    requestId: work?.requestId ?? '',
    traceId: work?.trace.traceId ?? '',
  };
}

/** A path may name a target at any length, and Audit would refuse the entry of whoever did: the beginning must do. */
function fitting({ type, id }: AuditTarget): AuditTarget {
  return { type, id: id.slice(0, MAX_TARGET_ID).replaceAll('\0', '\ufffd').toWellFormed() };
}

/** The resource in `<service>.<resource>.<action>`. */
export function resourceOf(action: string): string {
  return action.split('.')[1] ?? '';
}

function actorOf({ actor }: AuditInput): AuditActor {
  const work = requestContext.current();
  if (actor !== undefined) return { id: '', sessionId: '', ...actor };
  if (work?.principal !== undefined) {
    const { id, type, sessionId } = work.principal;
    return { type, id, sessionId };
  }
  if (work?.caller !== undefined) return { type: 'service', id: work.caller, sessionId: '' };
  return { type: 'anonymous', id: '', sessionId: '' };
}

/** What does not fit is replaced by a note that says so: an entry without its metadata is better than no entry. */
function metadataJson(metadata: Record<string, unknown> | undefined): string {
  if (metadata === undefined) return '{}';
  try {
    const json = canonicalJson(metadata);
    const bytes = Buffer.byteLength(json);
    return bytes <= MAX_METADATA_BYTES
      ? json
      : canonicalJson({ omitted: 'larger than 16 KiB', bytes });
  } catch (error) {
    return canonicalJson({ omitted: error instanceof Error ? error.message : 'not JSON' });
  }
}
