import type { Exchange } from '../front/exchange.ts';

/** Where lines go: Nest's logger, or one like it. */
export interface AccessLogger {
  log(entry: object, message: string): void;
  warn(entry: object, message: string): void;
}

/**
 * One line a request, of a sample of them and of every answer that is our fault (5xx). The path without its query and
 * nothing of the headers: neither tokens nor personal search terms belong in a log.
 */
export class AccessLog {
  constructor(
    private readonly logger: AccessLogger,
    private readonly sample: number,
  ) {}

  /** @param status 499 where the client went away first */
  write(exchange: Exchange, status: number, milliseconds: number): void {
    const isFault = status >= 500;
    if (!isFault && (this.sample === 0 || Math.random() >= this.sample)) return;
    const { route, head, trace, target, pathEnd } = exchange;
    const entry = {
      request_id: exchange.requestId,
      trace_id: trace.traceId,
      span_id: trace.spanId,
      method: exchange.method,
      path: pathEnd < 0 ? undefined : target.slice(0, pathEnd),
      route: route?.declaration.path,
      upstream: route?.version.service,
      upstream_instance: exchange.instanceId,
      attempts: exchange.attempts,
      status,
      duration_ms: Math.round(milliseconds * 1_000) / 1_000,
      client_ip: exchange.client.address,
      client_request_id: head.requestId?.slice(0, 128),
      principal_id: exchange.principal?.id,
      code: exchange.refusedWith,
    };
    if (isFault) this.logger.warn(entry, 'request failed');
    else this.logger.log(entry, 'request');
  }
}
