import net from 'node:net';
import { toGrpcError } from '@gatehouse/kernel';
import {
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { PROTO_LOADER_OPTIONS } from '@gatehouse/contracts-platform';
import { echoV1, type EchoRequest, type EchoResponse } from './echo.contract.ts';

export interface SeenCall {
  method: string;
  metadata: Metadata;
  /** Milliseconds the caller still waits when the call arrives. */
  remainingMs: number;
}

/** A real gRPC server that remembers its calls. Replace `answer` to make it fail or wait. */
export class EchoServer {
  readonly calls: SeenCall[] = [];
  readonly cancelled: string[] = [];
  /** Sends the head of each answer before there is one. */
  headFirst = false;
  /** Sent so far on streams. */
  written = 0;
  address = '';
  answer: (method: string, request: EchoRequest) => Promise<string> | string = (
    _method,
    { text },
  ) => text ?? '';
  private server = new Server();
  private readonly sockets = new Set<net.Socket>();
  private front = net.createServer();

  constructor(readonly name: string) {}

  /** @param port of a server that was killed before, to come back at its place */
  async start(port = 0): Promise<this> {
    const loaded = loadPackageDefinition(
      loadSync(echoV1.protoPath, PROTO_LOADER_OPTIONS),
    ) as unknown as {
      gatehouse: { echo: { v1: { EchoService: ServiceClientConstructor } } };
    };
    this.server = new Server();
    this.server.addService(loaded.gatehouse.echo.v1.EchoService.service, {
      read: this.unary('read'),
      put: this.unary('put'),
      write: this.unary('write'),
      watch: (call: ServerWritableStream<EchoRequest, EchoResponse>) => void this.stream(call),
    });
    const bound = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, taken) =>
        error ? reject(error) : resolve(taken),
      ),
    );
    this.address = await this.openFront(port, bound);
    return this;
  }

  get port(): number {
    return Number(this.address.split(':')[1]);
  }

  /** As kill -9 does: the port is closed, connections are reset and say nothing more. */
  kill(): void {
    this.front.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
    this.server.forceShutdown();
  }

  /** What clients connect to, so that a connection can break without a goodbye of HTTP/2. */
  private async openFront(port: number, behind: number): Promise<string> {
    this.front = net.createServer((socket) => {
      const upstream = net.connect(behind, '127.0.0.1');
      this.sockets.add(socket);
      socket.on('close', () => upstream.destroy()).on('error', () => undefined);
      upstream.on('close', () => socket.destroy()).on('error', () => undefined);
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => this.front.listen(port, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.front.address() as net.AddressInfo).port}`;
  }

  private unary(method: string) {
    return (
      call: ServerUnaryCall<EchoRequest, EchoResponse>,
      done: sendUnaryData<EchoResponse>,
    ): void => {
      this.see(method, call);
      call.on('cancelled', () => this.cancelled.push(method));
      if (this.headFirst) call.sendMetadata(new Metadata());
      Promise.resolve()
        .then(() => this.answer(method, call.request))
        .then(
          (text) => done(null, { text, server: this.name, number: 0 }),
          (error: unknown) => done(toGrpcError(error)),
        );
    };
  }

  /** `count` messages, or without end where it is 0. */
  private async stream(call: ServerWritableStream<EchoRequest, EchoResponse>): Promise<void> {
    this.see('watch', call);
    call.on('cancelled', () => this.cancelled.push('watch'));
    const { count = 0 } = call.request;
    try {
      for (let number = 1; !call.cancelled && (count === 0 || number <= count); number++) {
        const text = await this.answer('watch', { ...call.request, count: number });
        const room = call.write({ text, server: this.name, number });
        this.written++;
        if (room) await new Promise((resolve) => setTimeout(resolve, 1));
        else await new Promise((resolve) => call.once('drain', resolve).once('cancelled', resolve));
      }
      call.end();
    } catch (error) {
      call.emit('error', toGrpcError(error));
    }
  }

  private see(method: string, call: { metadata: Metadata; getDeadline(): Date | number }): void {
    this.calls.push({
      method,
      metadata: call.metadata,
      remainingMs: Number(call.getDeadline()) - Date.now(),
    });
  }
}
