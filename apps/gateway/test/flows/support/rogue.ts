import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';

/**
 * A process that would like to be a service: it answers every HTTP request with 200 and what an attacker would say, and
 * counts what reaches it.
 */
export class Rogue {
  /** Requests, as `GET /v1/users`. */
  readonly requests: string[] = [];
  /** Connections to the port it announces for gRPC. */
  connections = 0;
  private readonly http: HttpServer;
  private readonly grpc: Server;

  /** @param manifest what it says of itself where it is asked */
  constructor(private readonly manifest: object = {}) {
    this.http = createServer((request, response) => {
      this.requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.setHeader('content-type', 'application/json');
      const asked = request.url === '/.well-known/gatehouse/manifest';
      response.end(asked ? this.manifestBytes : '{"rogue":true}');
    });
    this.grpc = createTcpServer((socket) => {
      this.connections++;
      socket.destroy();
    });
  }

  async listen(): Promise<this> {
    for (const server of [this.http, this.grpc]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return this;
  }

  close(): void {
    this.http.closeAllConnections();
    this.http.close();
    this.grpc.close();
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  get grpcAddress(): string {
    return `127.0.0.1:${(this.grpc.address() as AddressInfo).port}`;
  }

  get manifestDigest(): string {
    return `sha-256:${createHash('sha256').update(this.manifestBytes).digest('hex')}`;
  }

  private get manifestBytes(): string {
    return JSON.stringify(this.manifest);
  }
}
