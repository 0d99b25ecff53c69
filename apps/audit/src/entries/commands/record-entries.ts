import { AuditEntryConflict } from '@gatehouse/contracts-audit';
import { Metrics } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { canonicalLeaf, type CanonicalLeaf, type Leaf } from '../../log/leaf.ts';
import type { Appended } from '../../log/log.table.ts';
import { Sequencer } from '../../log/sequencer.ts';
import { placeOf, type SealedField, sealField } from '../../personal/sealed-field.ts';
import { SubjectKeys } from '../../personal/subject-keys.ts';
import type { EntryMessage } from '../entry.messages.ts';

/**
 * Appends entries, idempotent by id, and answers when they are durable. An entry whose id another one has is never taken
 * in its place: alone it is refused, in a batch it is counted and left out, since the others are not to wait for it.
 */
export class RecordEntries extends Command<{ index: number; recorded: number }> {
  constructor(
    /** The calling service, verified. */
    readonly recordedBy: string,
    readonly entries: readonly EntryMessage[],
    readonly options: { refuseConflict: boolean },
  ) {
    super();
  }
}

@CommandHandler(RecordEntries)
export class RecordEntriesHandler implements ICommandHandler<RecordEntries> {
  private readonly logger = new Logger(RecordEntriesHandler.name);
  private readonly conflicts;

  constructor(
    private readonly sequencer: Sequencer,
    private readonly keys: SubjectKeys,
    metrics: Metrics,
  ) {
    this.conflicts = metrics.counter(
      'audit_entry_conflicts_total',
      'Entries left out because another entry has their id',
      [],
    );
  }

  /**
   * @returns the leaf index of the first entry, and how many were new
   * @throws AuditEntryConflict, AuditSequencerUnavailable
   */
  async execute({
    recordedBy,
    entries,
    options,
  }: RecordEntries): Promise<{ index: number; recorded: number }> {
    const recordedAt = new Date().toISOString();
    const keys = await this.keys.obtain(
      entries.flatMap(({ personal }) => personal.map(({ subjectId }) => subjectId)),
    );
    const leaves = entries.map((entry) =>
      canonicalLeaf(toLeaf(entry, recordedBy, recordedAt, keys)),
    );
    const appended = await this.sequencer.append(leaves);
    this.noteConflicts(appended, leaves, options.refuseConflict);
    return {
      index: appended[0]?.index ?? -1,
      recorded: appended.filter(({ isNew }) => isNew).length,
    };
  }

  private noteConflicts(
    appended: readonly Appended[],
    leaves: readonly CanonicalLeaf[],
    refuse: boolean,
  ): void {
    for (const [position, { conflict }] of appended.entries()) {
      if (!conflict) continue;
      this.conflicts.inc();
      this.logger.warn(
        { entry: leaves[position]?.leaf.id },
        'an entry differs from the recorded one with its id',
      );
      if (refuse) throw new AuditEntryConflict();
    }
  }
}

function toLeaf(
  entry: EntryMessage,
  recordedBy: string,
  recordedAt: string,
  keys: ReadonlyMap<string, Buffer>,
): Leaf {
  const { actor, target } = entry;
  return {
    v: 1,
    id: entry.id,
    occurred_at: entry.occurredAt.toISOString(),
    recorded_at: recordedAt,
    recorded_by: recordedBy,
    actor: { type: actor.type, id: actor.id, session_id: actor.sessionId },
    action: entry.action,
    target: { type: target.type, id: target.id },
    outcome: entry.outcome,
    reason: entry.reason,
    organization_id: entry.organizationId,
    metadata: entry.metadataJson,
    personal: sealAll(entry, keys),
    request_id: entry.requestId,
    trace_id: entry.traceId,
  };
}

function sealAll(
  { id, personal }: EntryMessage,
  keys: ReadonlyMap<string, Buffer>,
): Record<string, SealedField> {
  return Object.fromEntries(
    personal.map(({ subjectId, name, value }) => {
      const key = keys.get(subjectId);
      return [
        name,
        { subject_id: subjectId, sealed: key ? sealField(key, value, placeOf(id, name)) : null },
      ];
    }),
  );
}
