import { defineGrpcContract, type GrpcMethods } from '@gatehouse/contracts-platform';

import { identityErrors } from './errors.ts';
import type { IdentityServiceController } from './generated/gatehouse/identity/v1/identity.ts';

/** The methods of Identity as a caller sees them. */
export type IdentityMethods = GrpcMethods<IdentityServiceController>;

export const identityV1 = defineGrpcContract<IdentityMethods>({
  package: 'gatehouse.identity.v1',
  service: 'identity',
  serviceName: 'IdentityService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/identity/v1/identity.proto',
  errors: identityErrors,
});
