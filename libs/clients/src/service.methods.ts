import { type GrpcContract, PROTO_LOADER_OPTIONS } from '@gatehouse/contracts-platform';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';

/** One method of a contract, ready to be called. */
export interface ServiceMethod {
  /** `getUser` */
  name: string;
  /** `GetUser`, as the .proto has it. */
  protoName: string;
  /** `/gatehouse.identity.v1.IdentityService/GetUser` */
  path: string;
  streams: boolean;
  /** The .proto says `idempotency_level`: doing it twice is doing it once. */
  idempotent: boolean;
  serialize: (request: object) => Buffer;
  deserialize: (bytes: Buffer) => object;
}

/** Reads the contract's .proto. @throws where it does not hold the service, or has client streams, which we have no use for */
export function methodsOf(contract: GrpcContract): ServiceMethod[] {
  const loaded = loadSync(contract.protoPath, {
    ...PROTO_LOADER_OPTIONS,
    includeDirs: contract.includeDirs,
  });
  const service = loaded[fullNameOf(contract)];
  if (!service || 'format' in service)
    throw new Error(`${contract.protoPath} has no service ${fullNameOf(contract)}`);
  return Object.entries(service).map(
    ([protoName, method]: [string, MethodDefinition<object, object>]) => {
      if (method.requestStream) throw new Error(`${method.path}: client streams are not supported`);
      return {
        name: method.originalName ?? protoName,
        protoName,
        path: method.path,
        streams: method.responseStream,
        idempotent: ['NO_SIDE_EFFECTS', 'IDEMPOTENT'].includes(method.options.idempotency_level),
        serialize: method.requestSerialize,
        deserialize: method.responseDeserialize,
      };
    },
  );
}

export function fullNameOf(contract: GrpcContract): string {
  return `${contract.package}.${contract.serviceName}`;
}
