import { commonErrors, PlatformError } from '@gatehouse/contracts-platform';

export class AuditEntryNotFound extends PlatformError {
  static override readonly code = 'AUDIT_ENTRY_NOT_FOUND';
  static override readonly kind = 'not-found';
  static override readonly title = 'There is no such audit entry';
}

/** A repeat of the same entry is no error; an entry that differs is never taken in its place. */
export class AuditEntryConflict extends PlatformError {
  static override readonly code = 'AUDIT_ENTRY_CONFLICT';
  static override readonly kind = 'already-exists';
  static override readonly title = 'Another entry with this id is recorded';
}

export class AuditSequencerUnavailable extends PlatformError {
  static override readonly code = 'AUDIT_SEQUENCER_UNAVAILABLE';
  static override readonly kind = 'unavailable';
  static override readonly title = 'Audit entries cannot be appended at the moment';
}

/** What Audit may answer with, the errors common to all processes included. */
export const auditErrors = commonErrors.extend([
  AuditEntryNotFound,
  AuditEntryConflict,
  AuditSequencerUnavailable,
]);
