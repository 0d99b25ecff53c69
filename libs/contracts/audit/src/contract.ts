import { defineGrpcContract, type GrpcHandlers } from '@gatehouse/contracts-platform';

import { auditErrors } from './errors.ts';
import type { AuditService } from './generated/gatehouse/audit/v1/audit.ts';

/** What Audit's `*.rpc.ts` implements. */
export type AuditServiceHandlers = GrpcHandlers<AuditService>;

export const auditV1 = defineGrpcContract<AuditService>({
  package: 'gatehouse.audit.v1',
  service: 'audit',
  serviceName: 'AuditService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/audit/v1/audit.proto',
  errors: auditErrors,
});
