import { DeadLetterBatch, DeadLetters, EventOperations } from '@gatehouse/event-bus';
import { ServiceInfo } from '@gatehouse/kernel';
import { PageTokens } from '@gatehouse/persistence';
import type { ModuleRef } from '@nestjs/core';

import { AuditTrail } from '../audit/audit-trail.ts';

/** What the controllers work with. Imported on demand, since it loads the database libraries. */
export function eventOperationsParts(references: ModuleRef) {
  const get = <T>(type: abstract new (...args: never[]) => T): T =>
    references.get<T>(type, { strict: false });
  return {
    operations: get(EventOperations),
    letters: get(DeadLetters),
    batch: get(DeadLetterBatch),
    tokens: get(PageTokens),
    trail: get(AuditTrail),
    service: get(ServiceInfo),
  };
}
