import { UpstreamTimeout, UpstreamUnavailable } from '@gatehouse/contracts-platform';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { edgeHeaders, refuse } from '../front/answer.ts';
import type { RecordedSpan } from '@gatehouse/kernel';
import type { Exchange } from '../front/exchange.ts';
import type { Route } from '../routing/route.ts';
import { beginAttempt, endAttempt, headersUnder } from '../telemetry/attempt-span.ts';
import { pickOfTwo } from '../upstream/power-of-two.ts';
import type { UpstreamInstance } from '../upstream/upstream-instance.ts';
import { outwardHeaders } from './answer-headers.ts';
import { upstreamHeaders } from './upstream-headers.ts';

export interface UpgraderOptions {
  connectTimeoutMs: number;
  via: (service: string) => string | Promise<string>;
  schemeOf: (exchange: Exchange) => string;
}

/** Passes WebSocket handshakes on, after every stage of the pipeline, and then bytes both ways. */
export class Upgrader {
  private readonly open = new Set<Duplex>();

  constructor(private readonly options: UpgraderOptions) {}

  /** Connections that are upgraded now. */
  get size(): number {
    return this.open.size;
  }

  /** Ends every upgraded connection: nobody else would, when the process stops. */
  closeAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  /** @param head what the client has sent beyond its handshake */
  async forward(exchange: Exchange, route: Route, socket: Duplex, head: Buffer): Promise<void> {
    const via = await this.options.via(route.version.service);
    exchange.isSettled = true;
    const instance = pickOfTwo(route.version.instances, performance.now());
    if (instance === undefined) {
      refuse(exchange, new UpstreamUnavailable());
      return;
    }
    exchange.attempts++;
    exchange.instanceId = instance.instanceId;
    const span = beginAttempt(exchange, instance);
    const call = this.handshake(exchange, route, instance, { via, span });
    call.on('response', (answer) => {
      answer.once('close', () => endAttempt(span, answer.statusCode ?? 502));
      passRefusal(exchange, answer);
    });
    call.on('upgrade', (answer, upstream, early) => {
      upstream.once('close', () => endAttempt(span, 101));
      this.join(exchange, answer, { client: socket, upstream }, { head, early });
    });
    call.end();
  }

  private handshake(
    exchange: Exchange,
    route: Route,
    instance: UpstreamInstance,
    { via, span }: { via: string; span: RecordedSpan | undefined },
  ): ClientRequest {
    const { hostname, port, host } = new URL(instance.url);
    const passed = upstreamHeaders(exchange, via, this.options.schemeOf(exchange));
    const headers = ['host', host, 'connection', 'upgrade', 'upgrade', 'websocket'];
    headers.push(...(span === undefined ? passed : headersUnder(span, passed)));
    const call = httpRequest({
      hostname,
      port,
      method: 'GET',
      path: exchange.target,
      headers,
      agent: false,
    });
    instance.onSent();
    let connected = false;
    let isAbandoned = false;
    const connecting = setTimeout(
      () => call.destroy(new UpstreamUnavailable()),
      this.options.connectTimeoutMs,
    );
    const answering = setTimeout(
      () => call.destroy(new UpstreamTimeout()),
      route.declaration.timeout_ms,
    );
    const done = () => {
      clearTimeout(connecting);
      clearTimeout(answering);
    };
    call.once('socket', (socket) => {
      socket.once('connect', () => {
        connected = true;
        clearTimeout(connecting);
      });
    });
    call.once('upgrade', done).once('response', done);
    call.once('response', () => instance.circuit.onSuccess());
    call.once('upgrade', () => instance.circuit.onSuccess());
    call.once('close', () => {
      done();
      instance.onDone();
    });
    call.on('error', (error) => {
      if (isAbandoned) return;
      const now = performance.now();
      if (connected) instance.circuit.onFailure(now);
      else instance.circuit.onConnectFailed(now);
      const timedOut = error instanceof UpstreamTimeout;
      endAttempt(span, timedOut ? 'timeout' : connected ? 'broken' : 'connect');
      refuse(exchange, timedOut ? error : new UpstreamUnavailable(undefined, { cause: error }));
    });
    exchange.running = {
      abort: () => {
        isAbandoned = true;
        // Who leaves in the midst of a handshake says nothing of the instance.
        instance.circuit.onAbandoned();
        endAttempt(span, 'client_gone');
        call.destroy();
      },
    };
    return call;
  }

  /** From here on the two sockets are a pipe: what one closes, the other does. */
  private join(
    exchange: Exchange,
    answer: IncomingMessage,
    sockets: { client: Duplex; upstream: Duplex },
    first: { head: Buffer; early: Buffer },
  ): void {
    const { client, upstream } = sockets;
    exchange.running = undefined;
    exchange.response.detachSocket(exchange.request.socket);
    exchange.response.statusCode = 101;
    exchange.close();
    const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: upgrade', 'upgrade: websocket'];
    const headers = edgeHeaders(exchange, outwardHeaders(answer.headers));
    for (let index = 0; index < headers.length; index += 2) {
      lines.push(`${headers[index] ?? ''}: ${headers[index + 1] ?? ''}`);
    }
    client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    if (first.early.length > 0) client.write(first.early);
    if (first.head.length > 0) upstream.write(first.head);
    this.open.add(client);
    client.once('close', () => {
      this.open.delete(client);
      upstream.destroy();
    });
    upstream.once('close', () => client.destroy());
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.pipe(upstream).pipe(client);
  }
}

/** The service does not upgrade: its own answer says why. */
function passRefusal(exchange: Exchange, answer: IncomingMessage): void {
  const { response } = exchange;
  const headers = edgeHeaders(exchange, outwardHeaders(answer.headers));
  headers.push('connection', 'close');
  response.writeHead(answer.statusCode ?? 502, headers);
  answer.pipe(response);
}
