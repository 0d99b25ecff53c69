import type { ErrorRegistry, GrpcContract } from '@gatehouse/contracts-platform';
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js';
import { channelOptions } from './channel.options.ts';
import type { CallHeaders, CallObserver, CallOptions, ClientOf } from './client.types.ts';
import { discoveryTarget, type InstanceSource } from './discovery.resolver.ts';
import { methodsOf } from './service.methods.ts';
import { callStream } from './stream.call.ts';
import { callUnary } from './unary.call.ts';

export interface GrpcClientOptions {
  /** `host:port` of one server; or `resolver`. */
  address?: string;
  /** Finds the instances of the contract's service: `Discovery`. */
  resolver?: InstanceSource;
  /** What goes with each call, for example `gatehouse-via`; asked anew for each. */
  metadata?: (options: CallOptions) => CallHeaders | Promise<CallHeaders>;
  observe?: CallObserver;
  /** Default: plain text, as between our own processes on a private network. */
  credentials?: ChannelCredentials;
}

/** What one call needs of its client. */
export interface CallChannel {
  readonly client: Client;
  /** The service called. */
  readonly service: string;
  readonly errors: ErrorRegistry;
  readonly observe: CallObserver;
  metadata(options: CallOptions): Metadata | Promise<Metadata>;
}

/** A client, and the way to end its connections. */
export type GrpcClient<C> = ClientOf<C> & { close(): void };

/**
 * A client of `contract`, with deadlines, retries and errors as `ClientOf` and `channelOptions` say. Services take
 * theirs by `@InjectClient`; this is for processes without Nest.
 */
export function createGrpcClient<C extends GrpcContract>(
  contract: C,
  options: GrpcClientOptions,
): GrpcClient<C> {
  const methods = methodsOf(contract);
  const { target, options: extra } = targetOf(contract, options);
  const client = new Client(target, options.credentials ?? credentials.createInsecure(), {
    ...channelOptions(contract, methods),
    ...extra,
  });
  const channel: CallChannel = {
    client,
    service: contract.service,
    errors: contract.errors,
    observe: options.observe ?? (() => undefined),
    metadata: (call) => {
      const headers = options.metadata?.(call) ?? {};
      return headers instanceof Promise ? headers.then(metadataOf) : metadataOf(headers);
    },
  };
  const calls = methods.map((method) => [
    method.name,
    (request: object, call: CallOptions = {}) =>
      method.streams
        ? callStream(channel, method, request, call)
        : callUnary(channel, method, request, call),
  ]);
  return Object.freeze({
    ...Object.fromEntries(calls),
    close: () => client.close(),
  }) as GrpcClient<C>;
}

function targetOf(contract: GrpcContract, { address, resolver }: GrpcClientOptions) {
  if (resolver) return discoveryTarget(contract.service, resolver);
  if (address) return { target: address, options: {} };
  throw new Error(`a client of ${contract.service} needs an address or a resolver`);
}

function metadataOf(headers: CallHeaders): Metadata {
  const metadata = new Metadata();
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) metadata.set(name, value);
  }
  return metadata;
}
