import { defineGrpcContract, type GrpcHandlers } from '@gatehouse/contracts-platform';

import { authErrors } from './errors.ts';
import type { AuthService } from './generated/gatehouse/auth/v1/auth.ts';

/** What Auth's `*.rpc.ts` implements. */
export type AuthServiceHandlers = GrpcHandlers<AuthService>;

export const authV1 = defineGrpcContract<AuthService>({
  package: 'gatehouse.auth.v1',
  service: 'auth',
  serviceName: 'AuthService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/auth/v1/auth.proto',
  errors: authErrors,
});
