import { fileURLToPath } from 'node:url';

import type { Metadata } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';

import type { ErrorRegistry } from './errors/error-registry.ts';

/** Everything a server or a client needs to know of one gRPC service. */
export interface GrpcContract<TClient = unknown> {
  /** `gatehouse.auth.v1` */
  readonly package: string;
  /** The name it is found under in the directory: `auth`. */
  readonly service: string;
  /** The service in the package: `AuthService`. */
  readonly serviceName: string;
  /** Absolute path of the .proto, read at run time. */
  readonly protoPath: string;
  readonly includeDirs: string[];
  /** The errors a client gets back as the class that was thrown. */
  readonly errors: ErrorRegistry;
  /** Never set: carries the service's type (`AuthService`) for `ClientOf<typeof authV1>`. */
  readonly client?: TClient;
}

/**
 * How every server and client loads a .proto; the generated types hold only with these.
 * Absent message fields arrive as `null` (outside a oneof) where the type says `undefined`: test with `== null`.
 */
export const PROTO_LOADER_OPTIONS = Object.freeze({
  keepCase: false,
  longs: Number,
  defaults: true,
  oneofs: true,
  arrays: true,
  objects: true,
});

/**
 * @param contract.protoDir folder that imports start from, beside `src` and `dist`: `new URL('../proto/', import.meta.url)`
 * @param contract.proto the file in it: `gatehouse/auth/v1/auth.proto`
 */
export function defineGrpcContract<TClient>(contract: {
  package: string;
  service: string;
  serviceName: string;
  protoDir: URL;
  proto: string;
  errors: ErrorRegistry;
}): GrpcContract<TClient> {
  return Object.freeze({
    package: contract.package,
    service: contract.service,
    serviceName: contract.serviceName,
    protoPath: fileURLToPath(new URL(contract.proto, contract.protoDir)),
    includeDirs: [fileURLToPath(contract.protoDir)],
    errors: contract.errors,
  });
}

/**
 * What a server implements, from the service interface that ts-proto generates (`AuthService`, which is how a caller
 * sees it: one answer is a Promise, a server stream an AsyncIterable). Nest takes a stream as an Observable.
 */
export type GrpcHandlers<TService> = {
  [K in keyof TService]: TService[K] extends (request: infer Q) => AsyncIterable<infer T>
    ? (request: Q, metadata: Metadata, ...rest: unknown[]) => Observable<T>
    : TService[K] extends (request: infer Q) => Promise<infer T>
      ? (request: Q, metadata: Metadata, ...rest: unknown[]) => Promise<T> | T
      : never;
};
