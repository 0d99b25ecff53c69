import { PlatformError } from '@gatehouse/contracts-platform';
import { type RequestContext, requestContext } from '@gatehouse/kernel';

import type { AuditedRequest, AuditedValue } from '../decorators/audited.decorator.ts';
import type { AuditInput, AuditTarget } from './audit-entry.ts';
import { resourceOf } from './audit-record.ts';

const PENDING = Symbol('pending audit entry');

/** The entry that an audited call still owes. */
export class PendingAudit {
  /** Set once the entry stands, or goes with the transaction that is about to commit: no transaction adds another. */
  recorded = false;

  constructor(
    private readonly audited: AuditedValue,
    private readonly request: AuditedRequest,
  ) {}

  static of(work: RequestContext | undefined): PendingAudit | undefined {
    return work?.locals.get(PENDING) as PendingAudit | undefined;
  }

  /** The success that is recorded with this action stands for the call in hand. */
  static settle({ action, outcome = 'success' }: AuditInput): void {
    const pending = PendingAudit.of(requestContext.current());
    if (outcome === 'success' && pending?.audited.action === action) pending.recorded = true;
  }

  attach(work: RequestContext): void {
    work.locals.set(PENDING, this);
  }

  success(result: unknown): AuditInput {
    return { ...this.entry(result), outcome: 'success' };
  }

  failure(error: unknown): AuditInput {
    const known = error instanceof PlatformError ? error : undefined;
    return {
      ...this.entryOfFailure(),
      outcome: known?.kind === 'permission-denied' ? 'denied' : 'failure',
      reason: known?.code ?? 'INTERNAL_ERROR',
    };
  }

  /** The route's own functions may trip over a result that is not there: the entry must stand all the same. */
  private entryOfFailure(): AuditInput {
    try {
      return this.entry(undefined);
    } catch {
      return { action: this.audited.action };
    }
  }

  private entry(result: unknown): AuditInput {
    const { action, metadata, personal } = this.audited;
    return {
      action,
      target: this.target(result),
      metadata: metadata?.(result, this.request),
      personal: personal?.(result, this.request),
    };
  }

  private target(result: unknown): AuditTarget {
    const { target, type = resourceOf(this.audited.action) } = this.audited;
    if (typeof target === 'function') return target(result, this.request) ?? { type, id: '' };
    const named = this.request.params[target ?? 'id'];
    return { type, id: named ?? (target === undefined ? idOf(result) : '') };
  }
}

function idOf(result: unknown): string {
  const id = (result as { id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? id : '';
}
