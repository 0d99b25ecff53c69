import { ATTRIBUTE, GATEHOUSE, type RecordedSpan, SpanKind, type Tracing } from '@gatehouse/kernel';
import type { Exchange } from '../front/exchange.ts';
import { KNOWN_METHODS } from '../front/match.stage.ts';
import { PerSecond, standsOut } from './stands-out.ts';

export interface EdgeSpanOptions {
  /** From here on a request is slow, in milliseconds. */
  slowMs: number;
  /** Spans a second for unsampled requests: under a flood of refusals the rest is counted alone. */
  unsampledPerSecond: number;
  /** Told of each that was too many. */
  onLimited: () => void;
}

/**
 * The gateway's own span of a request. A sampled one is begun with the request, so that all else stands under it. Of the
 * others none is: one that turns out to be refused, failed or slow is given a span at its end. That of an upgraded
 * connection ends with the connection.
 */
export class EdgeSpans {
  private readonly unsampled: PerSecond;

  constructor(
    private readonly tracing: Tracing,
    private readonly options: EdgeSpanOptions,
  ) {
    this.unsampled = new PerSecond(options.unsampledPerSecond);
  }

  /** Whether a request that has just come in is sampled. */
  decide(): boolean {
    return this.tracing.decide();
  }

  begin(exchange: Exchange): void {
    exchange.span = this.tracing.begin(exchange.trace, methodOf(exchange), SERVER);
  }

  /** @param status 499 where the client went away first */
  end(exchange: Exchange, status: number, milliseconds: number): void {
    const span = exchange.span ?? this.kept(exchange, status, milliseconds);
    if (span === undefined) return;
    const connection = status === 101 ? exchange.upgrade?.socket : undefined;
    if (connection === undefined || connection.closed) finish(span, exchange, status);
    else connection.once('close', () => finish(span, exchange, status));
  }

  private kept(exchange: Exchange, status: number, milliseconds: number): RecordedSpan | undefined {
    if (!this.tracing.on) return undefined;
    const why = standsOut(exchange, status, milliseconds, this.options.slowMs);
    if (why === undefined) return undefined;
    if (!this.unsampled.take()) {
      this.options.onLimited();
      return undefined;
    }
    const startTime = Date.now() - milliseconds;
    const span = this.tracing.begin(exchange.trace, methodOf(exchange), { ...SERVER, startTime });
    span?.set({ [GATEHOUSE.KEPT]: why });
    for (const [name, attributes] of exchange.decisions ?? []) span?.event(name, attributes);
    return span;
  }
}

const SERVER = { kind: SpanKind.SERVER };

function methodOf({ method }: Exchange): string {
  return KNOWN_METHODS.has(method) ? method : 'HTTP';
}

function finish(span: RecordedSpan, exchange: Exchange, ended: number): void {
  const { route, target, pathEnd, principal, refusedWith, instanceId, response } = exchange;
  const method = methodOf(exchange);
  // A stream that its reader has left was answered, and so was an answer that we broke off; not a refusal nobody waited for.
  const isLeft = ended === CLIENT_GONE && exchange.isStreaming && response.headersSent;
  const hasBegun = response.headersSent && response.statusCode < 400;
  const isBrokenOff = ended === CLIENT_GONE && refusedWith !== undefined && hasBegun;
  const status = isLeft || isBrokenOff ? response.statusCode : ended;
  span.set({
    [ATTRIBUTE.HTTP_REQUEST_METHOD]: method === 'HTTP' ? '_OTHER' : method,
    [ATTRIBUTE.URL_SCHEME]: 'http',
    [ATTRIBUTE.NETWORK_PROTOCOL_VERSION]: exchange.request.httpVersion,
    [ATTRIBUTE.CLIENT_ADDRESS]: exchange.client.address,
    [ATTRIBUTE.HTTP_RESPONSE_STATUS_CODE]: status,
    [GATEHOUSE.REQUEST_ID]: exchange.requestId,
  });
  if (route !== undefined) {
    // A path that nobody serves is the caller's invention, and stays out.
    span.rename(`${method} ${route.declaration.path}`);
    span.set({
      [ATTRIBUTE.HTTP_ROUTE]: route.declaration.path,
      [ATTRIBUTE.URL_PATH]: target.slice(0, pathEnd),
      [GATEHOUSE.UPSTREAM]: route.version.service,
    });
  }
  if (principal !== undefined) span.set({ [ATTRIBUTE.USER_ID]: principal.id });
  if (instanceId !== undefined) span.set({ [GATEHOUSE.UPSTREAM_INSTANCE]: instanceId });
  if (refusedWith !== undefined) span.set({ [GATEHOUSE.CODE]: refusedWith });
  if (status >= 500 || isBrokenOff) span.fail(refusedWith ?? String(status));
  else if (status === CLIENT_GONE) span.set({ [ATTRIBUTE.ERROR_TYPE]: 'client_gone' });
  span.end();
}

const CLIENT_GONE = 499;
