import { PlatformError } from '@gatehouse/contracts-platform';
import { status as Code } from '@grpc/grpc-js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PinoLogger } from 'nestjs-pino';

import { requestContext } from '../context/request-context.ts';
import { errorCodeOf } from '../errors/all-errors.filter.ts';
import type { GrpcCallReport } from '../grpc/grpc-call.ts';
import { contextOf } from '../http/http-context.ts';
import { isAdminRequest } from '../http/http-servers.ts';
import type { Metrics } from '../metrics/metrics.ts';

/** One log line and one observation for each request and call, when it has been answered. */
export class RequestLog {
  readonly #http;
  readonly #grpc;

  constructor(
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    this.#http = metrics.histogram(
      'http_server_request_duration_seconds',
      'Time to answer an HTTP request, by route template',
      ['method', 'route', 'status_class'],
    );
    this.#grpc = metrics.histogram(
      'grpc_server_request_duration_seconds',
      'Time to answer a gRPC call; of a stream, how long it was open',
      ['service', 'method', 'code'],
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
      this.#http.observe(
        { method: request.method, route, status_class: `${Math.floor(statusCode / 100)}xx` },
        reply.elapsedTime / 1000,
      );
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
    const [, service = '', method = ''] = path.split('/');
    this.#grpc.observe({ service, method, code: Code[code] }, durationMs / 1000);
    const line = {
      method: path,
      status: Code[code],
      duration_ms: rounded(durationMs),
      ...(error instanceof PlatformError && { code: error.code }),
    };
    if (code === Code.INTERNAL) this.logger.error({ ...line, err: error }, 'call failed');
    else this.logger.info(line, 'call answered');
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
