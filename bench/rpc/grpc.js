// The very grpc-js and loader that the clients use, so that no version is measured against another.
import { PROTO_LOADER_OPTIONS } from '@gatehouse/contracts-platform';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../libs/clients/package.json', import.meta.url));
export const grpc = require('@grpc/grpc-js');
const { loadSync } = require('@grpc/proto-loader');

/** The methods of a contract, as grpc-js takes them. */
export function serviceOf({ protoPath, includeDirs, package: name, serviceName }) {
  return loadSync(protoPath, { ...PROTO_LOADER_OPTIONS, includeDirs })[`${name}.${serviceName}`];
}
