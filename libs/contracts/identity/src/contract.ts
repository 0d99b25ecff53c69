import { defineGrpcContract, type GrpcHandlers } from '@gatehouse/contracts-platform';

import { identityErrors } from './errors.ts';
import type { IdentityService } from './generated/gatehouse/identity/v1/identity.ts';

/** What Identity's `*.rpc.ts` implements. */
export type IdentityServiceHandlers = GrpcHandlers<IdentityService>;

export const identityV1 = defineGrpcContract<IdentityService>({
  package: 'gatehouse.identity.v1',
  service: 'identity',
  serviceName: 'IdentityService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/identity/v1/identity.proto',
  errors: identityErrors,
});
