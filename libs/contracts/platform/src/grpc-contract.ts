import { fileURLToPath } from 'node:url';

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
  /** Never set: carries the client's type for `ClientOf<typeof authV1>`. */
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
 * The methods of a service as a caller sees them, from the controller type that ts-proto generates (its client type
 * cannot tell a single answer from a stream): one answer is a Promise, a server stream an AsyncIterable.
 */
export type GrpcMethods<TController> = {
  [K in keyof TController]: TController[K] extends (request: infer Q, ...rest: never[]) => infer R
    ? Extract<R, Promise<unknown>> extends never
      ? (request: Q) => AsyncIterable<StreamItem<R>>
      : (request: Q) => Extract<R, Promise<unknown>>
    : never;
};

/** Of an Observable, without importing it. */
type StreamItem<R> = R extends { subscribe(next: (item: infer T) => void): unknown } ? T : never;
