import { defineGrpcContract, type GrpcMethods } from '@gatehouse/contracts-platform';

import { authErrors } from './errors.ts';
import type { AuthServiceController } from './generated/gatehouse/auth/v1/auth.ts';

/** The methods of Auth as a caller sees them. */
export type AuthMethods = GrpcMethods<AuthServiceController>;

export const authV1 = defineGrpcContract<AuthMethods>({
  package: 'gatehouse.auth.v1',
  service: 'auth',
  serviceName: 'AuthService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/auth/v1/auth.proto',
  errors: authErrors,
});
