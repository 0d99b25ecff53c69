import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { newId } from '../context/new-id.ts';
import { Tracing } from '../tracing/tracing.ts';
import { HttpHooks } from './http-hooks.ts';
import { RouteTable } from './route-table.ts';
import type { HttpFront } from './http-front.ts';

const ADMIN = Symbol('admin listener');

/** Whether a request came in through the admin listener. */
export function isAdminRequest(request: IncomingMessage): boolean {
  return ADMIN in request;
}

/**
 * The two HTTP listeners over one handler. Stopping: `beginClosing` asks clients to leave their connections
 * (`Connection: close` on every answer), `stopAccepting` closes the listeners and what is idle, `finish` waits for requests
 * in flight and then cuts off what is left.
 */
export class HttpServers {
  hooks = new HttpHooks();
  tracing = Tracing.off;
  readonly routes = new RouteTable();
  front?: HttpFront | undefined;
  closing = false;
  /** Requests in the hands of the router; not those of the admin listener, nor what a front answers itself. */
  active = 0;
  /** Told of each answered request. */
  answered: (request: FastifyRequest, reply: FastifyReply) => void = () => undefined;

  /** All that are open: Node forgets those that were upgraded. */
  readonly #sockets = new Set<Socket>();
  #main?: Server;
  #admin?: Server;
  #closed: Promise<unknown> = Promise.resolve();
  readonly #onClosed = () => {
    this.active--;
  };

  /** Fastify's serverFactory. */
  create(handler: RequestListener): Server {
    this.#admin = configured(
      createServer((request, response) => {
        (request as { [ADMIN]?: true })[ADMIN] = true;
        handler(request, response);
      }),
    );
    this.#admin.on('clientError', (error, socket) => this.answerUnreadable(error, socket));
    const handle: RequestListener = (request, response) => {
      this.active++;
      response.once('close', this.#onClosed);
      handler(request, response);
    };
    this.#main = configured(
      createServer((request, response) => {
        if (this.front === undefined) handle(request, response);
        else this.front.handle(request, response, () => handle(request, response));
      }),
    );
    for (const server of [this.#main, this.#admin]) {
      server.on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      });
    }
    return this.#main;
  }

  async listen(at: { host: string; port: number }): Promise<AddressInfo> {
    const { front } = this;
    if (front?.upgrade !== undefined) {
      this.main.on('upgrade', (request, socket, head) => front.upgrade?.(request, socket, head));
    }
    return listenAt(this.main, at, 'HTTP');
  }

  async listenForAdmin(at: { host: string; port: number }): Promise<AddressInfo> {
    return listenAt(this.admin, at, 'ADMIN');
  }

  beginClosing(): void {
    this.closing = true;
  }

  stopAccepting(): void {
    this.closing = true;
    this.#closed = Promise.all([closed(this.main), closed(this.admin)]);
  }

  async finish(timeoutMs: number): Promise<void> {
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, timeoutMs);
    // A connection kept alive goes idle after its answer; look until none is left.
    const sweep = setInterval(() => {
      this.main.closeIdleConnections();
      this.admin.closeIdleConnections();
    }, 50);
    await this.#closed;
    clearTimeout(cut);
    clearInterval(sweep);
  }

  /** A request that Node's parser refused: there is no request object, so the answer is written by hand. */
  answerUnreadable(error: Error & { code?: string }, socket: Duplex): void {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const timedOut = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const [status, reason, code] = tooLarge
      ? [431, 'Request Header Fields Too Large', 'HEADERS_TOO_LARGE']
      : timedOut
        ? [408, 'Request Timeout', 'REQUEST_TIMEOUT']
        : [400, 'Bad Request', 'MALFORMED_REQUEST'];
    const requestId = newId();
    const body = JSON.stringify({
      type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
      title: 'The request cannot be read',
      status,
      code,
      request_id: requestId,
    });
    socket.end(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/problem+json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\n` +
        `Connection: close\r\n\r\n${body}`,
    );
  }

  private get main(): Server {
    return made(this.#main);
  }

  private get admin(): Server {
    return made(this.#admin);
  }
}

function made(server: Server | undefined): Server {
  if (server === undefined) throw new Error('the servers are not made yet');
  return server;
}

function configured(server: Server): Server {
  server.headersTimeout = 15_000;
  // A body may take its time; a route's own deadline is the gateway's to keep.
  server.requestTimeout = 120_000;
  // Longer than any client of ours keeps an idle connection, so that the client closes first.
  server.keepAliveTimeout = 72_000;
  // Node drops fields beyond a count without a word; the size limit refuses instead.
  server.maxHeadersCount = 0;
  return server;
}

function listenAt(
  server: Server,
  at: { host: string; port: number },
  what: string,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message;
      reject(new Error(`cannot listen on ${what}_HOST:${what}_PORT ${at.host}:${at.port}: ${why}`));
    });
    server.listen(at.port, at.host, () => resolve(server.address() as AddressInfo));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
