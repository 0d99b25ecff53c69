import { defineGrpcContract, type GrpcMethods } from '@gatehouse/contracts-platform';

import { auditErrors } from './errors.ts';
import type { AuditServiceController } from './generated/gatehouse/audit/v1/audit.ts';

/** The methods of Audit as a caller sees them. */
export type AuditMethods = GrpcMethods<AuditServiceController>;

export const auditV1 = defineGrpcContract<AuditMethods>({
  package: 'gatehouse.audit.v1',
  service: 'audit',
  serviceName: 'AuditService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/audit/v1/audit.proto',
  errors: auditErrors,
});
