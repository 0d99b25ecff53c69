import { PlatformError } from '@gatehouse/contracts-platform';
import { status as Code } from '@grpc/grpc-js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PinoLogger } from 'nestjs-pino';

import { type RequestContext, requestContext } from '../context/request-context.ts';
import { errorCodeOf } from '../errors/all-errors.filter.ts';
import type { GrpcCallReport } from '../grpc/grpc-call.ts';
import { contextOf } from '../http/http-context.ts';
import { isAdminRequest } from '../http/http-servers.ts';
import { methodLabel } from '../metrics/method-label.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { SeriesHistogram } from '../metrics/series-histogram.ts';

/** One log line and one observation for each request and call, when it has been answered. */
export class RequestLog {
  readonly #http: SeriesHistogram<'http_request_method' | 'http_route' | 'status_class'>;
  readonly #grpc: SeriesHistogram<'rpc_method' | 'rpc_response_status_code'>;

  constructor(
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    this.#http = metrics.seriesHistogram(
      'http_server_request_duration_seconds',
      'Time to answer an HTTP request, by route template',
      ['http_request_method', 'http_route', 'status_class'],
    );
    // So that a sum of the answers of a class is there before the first of them.
    for (const kind of ['2xx', '4xx', '5xx']) this.#http.series('GET', 'none', kind);
    this.#grpc = metrics.seriesHistogram(
      'rpc_server_call_duration_seconds',
      'Time to answer a gRPC call; of a stream, how long it was open',
      ['rpc_method', 'rpc_response_status_code'],
    );
  }

  readonly http = (request: FastifyRequest, reply: FastifyReply): void => {
    const context = contextOf(request.raw);
    if (context === undefined) return;
    const admin = isAdminRequest(request.raw);
    // A path nobody serves is the caller's invention: it names no label.
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    const { statusCode } = reply;
    if (!admin) {
      this.#http
        .series(methodLabel(request.method), route, `${Math.floor(statusCode / 100)}xx`)
        .observe(reply.elapsedTime / 1000, tracedBy(context));
    }
    const code = errorCodeOf(request.raw);
    const line = {
      method: request.method,
      route,
      status: statusCode,
      duration_ms: rounded(reply.elapsedTime),
      ...(code !== undefined && { code }),
    };
    requestContext.run(context, () => {
      this.logger[admin ? 'debug' : 'info'](line, 'request answered');
    });
  };

  readonly grpc = ({ path, code, durationMs, error }: GrpcCallReport): void => {
    this.#grpc
      .series(path.slice(1), Code[code])
      .observe(durationMs / 1000, tracedBy(requestContext.current()));
    const line = {
      method: path,
      // A name of its own: that of HTTP is a number, and an index takes one type a field.
      grpc_status: Code[code],
      duration_ms: rounded(durationMs),
      ...(error instanceof PlatformError && { code: error.code }),
    };
    if (code === Code.INTERNAL) this.logger.error({ ...line, err: error }, 'call failed');
    else this.logger.info(line, 'call answered');
  };
}

/** The trace that a slow bucket may point to: only where somebody recorded it. */
function tracedBy(context: RequestContext | undefined): string | undefined {
  return context?.trace.sampled === true ? context.trace.traceId : undefined;
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
