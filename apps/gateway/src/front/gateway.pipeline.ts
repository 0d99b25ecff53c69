import { RouteNotFound, ServiceUnavailable, ValidationFailed } from '@gatehouse/contracts-platform';
import type { RateLimitStore } from '@gatehouse/guards';
import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Forwarder } from '../forward/forwarder.ts';
import type { Upgrader } from '../forward/upgrader.ts';
import { ClientAddress } from '../request/client-address.ts';
import { RequestHead } from '../request/request-head.ts';
import type { EdgePolicies } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { EdgeSpans } from '../telemetry/edge-spans.ts';
import { authenticateStage, authorizeStage } from './access.stages.ts';
import { refuse } from './answer.ts';
import { bodyStage } from './body.stage.ts';
import type { CorsOptions } from './cors.ts';
import { Cors } from './cors.ts';
import { Exchange } from './exchange.ts';
import { addressLimitStage, principalLimitStage } from './limit.stages.ts';
import { matchStage } from './match.stage.ts';
import { isHealthPath, mayBeOwnPath } from './own-routes.ts';
import { Pipeline } from './pipeline.ts';
import type {
  CheckedToken,
  DenialRecord,
  GrantChecks,
  RevocationChecks,
  TokenChecks,
} from './ports.ts';
import { edgeTrace } from './trace.ts';

export interface PipelineParts<T extends CheckedToken = CheckedToken> {
  table: () => RouteTable;
  tokens: TokenChecks<T>;
  revocations: RevocationChecks<T>;
  grants: GrantChecks;
  limits: RateLimitStore;
  denials: DenialRecord;
  forwarder: Forwarder;
  upgrader: Upgrader;
  clients: ClientAddress;
  edge: EdgePolicies;
  cors: CorsOptions;
  maxInFlight: number;
  spans: EdgeSpans;
  /** Told once of each request, when its answer is out or its client gone. */
  onDone: (exchange: Exchange) => void;
}

type Next = () => void;

/**
 * The way of a request: match, client-IP limit, authenticate, principal limit, authorize, body, forward. Everything that
 * memory can decide happens in one turn of the event loop, and nothing of it in Nest.
 */
export class GatewayPipeline<T extends CheckedToken = CheckedToken> {
  private readonly requests: Pipeline;
  private readonly upgrades: Pipeline;
  /** Requests in hand. */
  inFlight = 0;
  /** Requests refused because too many were in hand. */
  shed = 0;

  constructor(private readonly parts: PipelineParts<T>) {
    const { forwarder, upgrader } = parts;
    const checks = [
      matchStage(parts.table, new Cors(parts.cors)),
      addressLimitStage(parts.limits, parts.edge, handOn),
      authenticateStage(parts.tokens, parts.revocations),
      principalLimitStage(parts.limits),
      authorizeStage(parts.grants, parts.denials),
      bodyStage,
    ];
    this.requests = new Pipeline([
      ...checks,
      (exchange) => {
        if (exchange.route !== undefined) return forwarder.forward(exchange, exchange.route);
        return undefined;
      },
    ]);
    this.upgrades = new Pipeline([
      ...checks,
      (exchange) => {
        const { route, upgrade } = exchange;
        if (route === undefined || upgrade === undefined) return undefined;
        return upgrader.forward(exchange, route, upgrade.socket, upgrade.head);
      },
    ]);
  }

  /** @param next hands a path of the gateway itself to Nest */
  handle(request: IncomingMessage, response: ServerResponse, next: Next): void {
    // Whoever watches over the gateway must hear from it under any load.
    if (isHealthPath(request.url ?? '')) {
      next();
      return;
    }
    const exchange = this.open(request, response);
    if (this.inFlight > this.parts.maxInFlight) {
      this.shedOne(exchange);
      return;
    }
    if (mayBeOwnPath(request.url ?? '')) exchange.next = next;
    this.requests.run(exchange);
  }

  /** A request to upgrade goes the same way, up to the handshake. Only WebSocket is passed on. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const response = new ServerResponse(request);
    response.assignSocket(request.socket);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    socket.on('error', () => socket.destroy());
    const exchange = this.open(request, response);
    if (this.inFlight > this.parts.maxInFlight) {
      this.shedOne(exchange);
      return;
    }
    exchange.upgrade = { socket, head };
    if (request.headers.upgrade?.toLowerCase() === 'websocket') this.upgrades.run(exchange);
    else refuse(exchange, new ValidationFailed('Only WebSocket is upgraded to'));
  }

  get maxInFlight(): number {
    return this.parts.maxInFlight;
  }

  private open(request: IncomingMessage, response: ServerResponse): Exchange {
    const head = new RequestHead(request.rawHeaders);
    const { clients, spans } = this.parts;
    const sampled = spans.decide();
    const exchange = new Exchange(
      request,
      response,
      head,
      clients.of(request.socket, head.forwardedFor),
      edgeTrace(head.traceparent, head.tracestate, sampled),
      this.onClosed,
    );
    if (sampled) spans.begin(exchange);
    this.inFlight++;
    return exchange;
  }

  private readonly onClosed = (exchange: Exchange): void => {
    this.inFlight--;
    exchange.isSettled = true;
    if (!exchange.response.writableFinished) exchange.running?.abort(CLIENT_GONE);
    this.parts.onDone(exchange);
  };

  private shedOne(exchange: Exchange): void {
    this.shed++;
    refuse(
      exchange,
      new ServiceUnavailable('Too many requests are in hand', { retryAfterSeconds: 1 }),
    );
  }
}

/** To Nest, where a path of the gateway itself is answered; it does not upgrade. */
function handOn(exchange: Exchange): void {
  if (exchange.next === undefined) {
    refuse(exchange, new RouteNotFound());
    return;
  }
  // One trace id in the answer, in log lines and in the gateway's span.
  exchange.request.headers.traceparent = exchange.trace.traceparent;
  exchange.next();
}

const CLIENT_GONE = new Error('the client is gone');
