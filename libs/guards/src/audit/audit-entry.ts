/** What was acted upon. */
export interface AuditTarget {
  /** `user`, `role`, `binding`, ... */
  type: string;
  id: string;
}

export interface AuditActor {
  type: 'user' | 'service' | 'anonymous';
  id: string;
  sessionId: string;
}

/** A value that says something about a person: Audit encrypts it under that person's key before hashing. */
export interface PersonalValue {
  subjectId: string;
  name: string;
  value: string;
}

export type AuditOutcome = 'success' | 'failure' | 'denied';

/** What a caller says of an action; the rest is taken from the work in hand. */
export interface AuditInput {
  /** `<service>.<resource>.<action>` */
  action: string;
  target?: AuditTarget | undefined;
  /** Default: success. */
  outcome?: AuditOutcome;
  /** The stable error code of a failure or denial. */
  reason?: string | undefined;
  /** At most 16 KiB as JSON; nothing personal and no secret. */
  metadata?: Record<string, unknown> | undefined;
  personal?: readonly PersonalValue[] | undefined;
  /** Default: the principal of the work in hand, else the calling service, else `anonymous`. */
  actor?: Partial<AuditActor> & Pick<AuditActor, 'type'>;
  organizationId?: string | undefined;
  /** Default: now. */
  occurredAt?: Date;
}

/** A whole entry as it travels through the outbox: plain JSON. */
export interface AuditRecord {
  /** UUIDv7: recording it twice has no effect. */
  id: string;
  /** RFC 3339 with milliseconds. */
  occurredAt: string;
  actor: AuditActor;
  action: string;
  target: AuditTarget;
  outcome: AuditOutcome;
  reason: string;
  organizationId: string;
  /** Canonical JSON (RFC 8785) of an object, at most 16 KiB. */
  metadataJson: string;
  personal: PersonalValue[];
  requestId: string;
  traceId: string;
}
