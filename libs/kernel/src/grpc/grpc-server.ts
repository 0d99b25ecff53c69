import {
  type GrpcContract,
  type PlatformError,
  PROTO_LOADER_OPTIONS,
  ServiceUnavailable,
} from '@gatehouse/contracts-platform';
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { ServerGrpc } from '@nestjs/microservices';

import { type GrpcCallReport, oneMessage, runCall, writeMessages } from './grpc-call.ts';
import { Tracing } from '../tracing/tracing.ts';
import { deadlineOf, type ServerCall } from './grpc-context.ts';

type Handler = (request: unknown, metadata: unknown, call: ServerCall) => unknown;
interface MethodDefinition {
  path: string;
  requestStream?: boolean;
  responseStream?: boolean;
}

/** A message larger than this is refused with RESOURCE_EXHAUSTED. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/**
 * Nest's gRPC transport with what the platform promises of every call: a request context around the handler, errors as
 * `google.rpc.Status`, one report a call, and streams from async iterables with back pressure. Unary methods and server
 * streams are served; a method that streams its requests stops the start, for nothing here would give it a context.
 *
 * Stopping: `stopAccepting` refuses new calls and ends subscriptions (server streams whose caller set no deadline) with
 * UNAVAILABLE, so that their clients follow another instance; `finish` waits for the calls in flight, then cuts off.
 */
export class GrpcServer extends ServerGrpc {
  /** The port listened on, once started. */
  port = 0;
  /** Calls in hand, open streams among them. */
  active = 0;
  /** Adds services that are not Nest's, before the server starts. */
  onServer: (server: Server) => void = () => undefined;
  /** Told of each finished call, in its context. */
  report: (report: GrpcCallReport) => void = () => undefined;
  tracing = Tracing.off;

  readonly #finished = (report: GrpcCallReport) => {
    this.active--;
    this.report(report);
  };
  readonly #subscriptions = new Set<(error: PlatformError) => void>();
  #server: Server | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    contracts: readonly GrpcContract[],
    private readonly at: { host: string; port: number },
  ) {
    super({
      // Nest serves all of a package: named twice, it would serve each of its services twice.
      package: [...new Set(contracts.map((contract) => contract.package))],
      protoPath: contracts.map((contract) => contract.protoPath),
      loader: {
        ...PROTO_LOADER_OPTIONS,
        includeDirs: contracts.flatMap((contract) => contract.includeDirs),
      },
      gracefulShutdown: true,
    });
  }

  override async createClient(): Promise<Server> {
    const { host, port } = this.at;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const server = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_metadata_size': 32 * 1024,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(new Error(`cannot listen on GRPC_HOST:GRPC_PORT ${address}: ${error.message}`));
      });
    });
    this.onServer(server);
    this.#server = server;
    return server;
  }

  override createServiceMethod(methodHandler: never, native: never): never {
    const handler = methodHandler as Handler;
    const method = native as MethodDefinition;
    if (method.requestStream === true) {
      throw new Error(`${method.path} streams its requests, which the kernel does not serve`);
    }
    return (
      method.responseStream === true
        ? this.#stream(method.path, handler)
        : this.#unary(method.path, handler)
    ) as never;
  }

  #unary(path: string, handler: Handler) {
    return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) => {
      this.active++;
      let answer: object | undefined;
      runCall(
        path,
        call,
        async () => {
          answer = await oneMessage(handler(call.request, call.metadata, call));
        },
        (error) => {
          if (error === null) callback(null, answer);
          else callback(error);
        },
        this.#finished,
        this.tracing,
      );
    };
  }

  #stream(path: string, handler: Handler) {
    return (call: ServerWritableStream<unknown, unknown>) => {
      this.active++;
      const end = runCall(
        path,
        call,
        (finished) => writeMessages(handler(call.request, call.metadata, call), call, finished),
        (error) => {
          this.#subscriptions.delete(end);
          if (error === null) call.end();
          else call.emit('error', error);
        },
        this.#finished,
        this.tracing,
      );
      if (deadlineOf(call) === undefined) this.#subscriptions.add(end);
    };
  }

  stopAccepting(): void {
    this.#closed ??= new Promise((resolve) => {
      if (this.#server === undefined) resolve();
      else this.#server.tryShutdown(() => resolve());
    });
    for (const end of [...this.#subscriptions]) {
      end(new ServiceUnavailable('This instance is stopping.'));
    }
  }

  async finish(timeoutMs: number): Promise<void> {
    this.stopAccepting();
    const cut = setTimeout(() => this.#server?.forceShutdown(), timeoutMs);
    await this.#closed;
    clearTimeout(cut);
  }

  /** Nest's way to stop; by then `finish` has done it. */
  override async close(): Promise<void> {
    await this.finish(0);
  }
}
