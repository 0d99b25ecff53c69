import { defineGrpcContract, type GrpcHandlers } from '@gatehouse/contracts-platform';

import { authzErrors } from './errors.ts';
import type { AuthzService } from './generated/gatehouse/authz/v1/authz.ts';

/** What Authz's `*.rpc.ts` implements. */
export type AuthzServiceHandlers = GrpcHandlers<AuthzService>;

export const authzV1 = defineGrpcContract<AuthzService>({
  package: 'gatehouse.authz.v1',
  service: 'authz',
  serviceName: 'AuthzService',
  // Beside src and dist alike: the .proto is read at run time.
  protoDir: new URL('../proto/', import.meta.url),
  proto: 'gatehouse/authz/v1/authz.proto',
  errors: authzErrors,
});
