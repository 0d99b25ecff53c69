import { defineGrpcContract, type GrpcMethods } from '@gatehouse/contracts-platform';

import { authzErrors } from './errors.ts';
import type { AuthzServiceController } from './generated/gatehouse/authz/v1/authz.ts';

/** The methods of Authz as a caller sees them. */
export type AuthzMethods = GrpcMethods<AuthzServiceController>;

export const authzV1 = defineGrpcContract<AuthzMethods>({
  package: 'gatehouse.authz.v1',
  service: 'authz',
  serviceName: 'AuthzService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/authz/v1/authz.proto',
  errors: authzErrors,
});
