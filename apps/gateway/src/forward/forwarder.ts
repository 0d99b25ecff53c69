import type { PlatformError } from '@gatehouse/contracts-platform';
import { ServiceUnavailable, UpstreamTimeout } from '@gatehouse/contracts-platform';
import { discardBody, refuse } from '../front/answer.ts';
import type { Exchange } from '../front/exchange.ts';
import type { RecordedSpan } from '@gatehouse/kernel';
import { RequestBody } from '../request/request-body.ts';
import type { Route } from '../routing/route.ts';
import { beginAttempt, endAttempt, headersUnder } from '../telemetry/attempt-span.ts';
import { pickOfTwo } from '../upstream/power-of-two.ts';
import type { UpstreamInstance } from '../upstream/upstream-instance.ts';
import type { FailureKind } from './failure.ts';
import { failureAnswer } from './failure.ts';
import type { CallOutcome } from './proxy-call.ts';
import { ProxyCall } from './proxy-call.ts';
import { upstreamHeaders } from './upstream-headers.ts';

const MAX_ATTEMPTS = 3;

export interface ForwarderOptions {
  /** How long an answer that has begun may pause, in milliseconds. */
  bodyIdleTimeoutMs: number;
  /** The gateway's `Gatehouse-Via` for a service. */
  via: (service: string) => string | Promise<string>;
  /** `http`, or what a trusted proxy says of the client's connection. */
  schemeOf: (exchange: Exchange) => string;
}

/** Sends requests to instances. Told when this process stops, so that clients leave their connections in time. */
export class Forwarder {
  isClosing = false;

  constructor(private readonly options: ForwarderOptions) {}

  /** The last stage: from here on the exchange is the call's. */
  forward(exchange: Exchange, route: Route): void | Promise<void> {
    const via = this.options.via(route.version.service);
    if (typeof via === 'string') {
      this.start(exchange, route, via);
      return;
    }
    return via.then((token) => this.start(exchange, route, token));
  }

  private start(exchange: Exchange, route: Route, via: string): void {
    exchange.isSettled = true;
    if (exchange.response.destroyed) return;
    route.version.budget.onRequest();
    const headers = upstreamHeaders(exchange, via, this.options.schemeOf(exchange));
    new Forwarding(exchange, route, headers, this.options.bodyIdleTimeoutMs, this).begin();
  }
}

/** One request on its way: its attempts, and the one deadline that spans them. */
class Forwarding implements CallOutcome {
  private readonly body: RequestBody | null;
  private deadline: NodeJS.Timeout;
  private call: ProxyCall | undefined;
  private isAnswering = false;
  private isOver = false;
  private bytesSeen = 0;
  private instance: UpstreamInstance | undefined;
  /** Of the attempt under way, where the request is sampled. */
  private span: RecordedSpan | undefined;

  constructor(
    private readonly exchange: Exchange,
    private readonly route: Route,
    private readonly headers: string[],
    private readonly bodyIdleTimeoutMs: number,
    private readonly forwarder: Forwarder,
  ) {
    const { head, request } = exchange;
    this.body = head.hasBody ? new RequestBody(request, route.declaration.body_limit) : null;
    if (head.contentLength > 0) headers.push('content-length', String(head.contentLength));
    exchange.isStreaming = route.declaration.streaming === true;
    this.deadline = setTimeout(onTime, route.declaration.timeout_ms, this);
    exchange.running = this;
  }

  begin(): void {
    this.attempt(undefined);
  }

  /** The client is gone. */
  abort(reason: Error): void {
    if (this.isOver) return;
    this.instance?.circuit.onAbandoned();
    const { isStreaming, response } = this.exchange;
    // To leave a stream is how it usually ends.
    endAttempt(this.span, isStreaming && this.isAnswering ? response.statusCode : 'client_gone');
    this.end();
    this.call?.abort(reason);
  }

  answering(contentType: unknown): void {
    this.isAnswering = true;
    if (typeof contentType === 'string' && contentType.startsWith('text/event-stream')) {
      this.exchange.isStreaming = true;
    }
    this.instance?.circuit.onSuccess();
  }

  answered(): void {
    if (this.isOver) return;
    endAttempt(this.span, this.exchange.response.statusCode);
    this.end();
    discardBody(this.exchange);
  }

  failed(call: ProxyCall, kind: FailureKind, error: Error): void {
    if (this.isOver) return;
    const { request, response } = this.exchange;
    if (response.destroyed || request.errored) {
      this.abort(error);
      return;
    }
    const { circuit } = call.instance;
    const now = performance.now();
    if (kind === 'connect') circuit.onConnectFailed(now);
    else if (kind === 'broken') circuit.onFailure(now);
    else circuit.onAbandoned();
    call.instance.onDone();
    endAttempt(this.span, kind);
    this.instance = undefined;
    if (this.mayRetry(kind, now)) {
      call.instance.tally.retries++;
      this.attempt(call.instance);
    } else this.giveUp(failureAnswer(kind, error));
  }

  /** No answer in time, or one that has begun and stands still. */
  onDeadline(): void {
    if (this.isOver) return;
    if (this.isAnswering) {
      this.watchProgress();
      return;
    }
    this.instance?.circuit.onFailure(performance.now());
    this.timeOut();
  }

  /** Looked at seldom rather than counted often: a streamed answer costs no timer a piece. */
  private watchProgress(): void {
    if (this.exchange.isStreaming) return;
    const seen = this.exchange.request.socket.bytesWritten;
    if (seen === this.bytesSeen) {
      this.timeOut();
      return;
    }
    this.bytesSeen = seen;
    this.deadline = setTimeout(onTime, this.bodyIdleTimeoutMs, this);
  }

  private timeOut(): void {
    const timeout = new UpstreamTimeout();
    endAttempt(this.span, 'timeout');
    const { call } = this;
    this.giveUp(timeout);
    call?.abort(timeout);
  }

  private attempt(failed: UpstreamInstance | undefined): void {
    const { exchange, route } = this;
    const instance = pickOfTwo(route.version.instances, performance.now(), failed);
    if (instance === undefined) {
      this.giveUp(new ServiceUnavailable(undefined, { retryAfterSeconds: 1 }));
      return;
    }
    exchange.attempts++;
    exchange.instanceId = instance.instanceId;
    this.instance = instance;
    instance.onSent();
    this.span = beginAttempt(exchange, instance);
    this.call = new ProxyCall(exchange, instance, this, this.forwarder.isClosing);
    instance.pool.dispatch(
      {
        path: exchange.target,
        method: exchange.method,
        headers: this.span === undefined ? this.headers : headersUnder(this.span, this.headers),
        body: this.body as unknown as Buffer | null,
      },
      this.call,
    );
  }

  private mayRetry(kind: FailureKind, now: number): boolean {
    const { exchange, route } = this;
    if (kind === 'client' || exchange.response.headersSent) return false;
    if (exchange.attempts >= MAX_ATTEMPTS || this.body?.started === true) return false;
    if (kind === 'broken' && !route.declaration.idempotent) return false;
    return route.version.budget.spend(now);
  }

  private giveUp(error: PlatformError): void {
    this.end();
    refuse(this.exchange, error);
  }

  private end(): void {
    this.isOver = true;
    clearTimeout(this.deadline);
    this.instance?.onDone();
    this.instance = undefined;
  }
}

function onTime(forwarding: { onDeadline(): void }): void {
  forwarding.onDeadline();
}
