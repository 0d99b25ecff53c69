import type { AuditInput } from './audit-entry.ts';

/**
 * What happened, for the record. Two adapters: the service's outbox (an entry stands and falls with its transaction),
 * and a bounded buffer for processes without a schema.
 */
export abstract class AuditTrail {
  /**
   * Records an action. In a transaction the entry is part of it; elsewhere it gets one of its own, or its place in the
   * buffer, and what does not fit there is counted.
   */
  abstract record(entry: AuditInput): Promise<void>;

  /**
   * Records an action and waits until Audit has it durably, for callers that must not go on without a record. In a call
   * that is `@Audited` with the same action it is that call's entry: no other one is made for its success.
   * @throws what Audit or the way to it threw
   */
  abstract recordNow(entry: AuditInput): Promise<void>;
}
