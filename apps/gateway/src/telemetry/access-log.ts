import type { Exchange } from '../front/exchange.ts';
import { PerSecond, standsOut } from './stands-out.ts';

/** Where lines go: Nest's logger, or one like it. */
export interface AccessLogger {
  log(entry: object, message: string): void;
  warn(entry: object, message: string): void;
}

export interface AccessLogOptions {
  /** Share of requests that are logged, whatever became of them. */
  sample: number;
  /** From here on a request is slow, in milliseconds. */
  slowMs: number;
  /** Lines a second beyond the sample for what was refused or slow: a flood of refusals is no flood of lines. */
  othersPerSecond: number;
}

/**
 * One line a request: of every answer that is our fault (5xx), of what was refused or slow, up to a rate, and of a sample
 * of the rest. The path without its query and nothing of the headers: neither tokens nor personal search terms belong in
 * a log.
 */
export class AccessLog {
  private readonly others: PerSecond;

  constructor(
    private readonly logger: AccessLogger,
    private readonly options: AccessLogOptions,
  ) {
    this.others = new PerSecond(options.othersPerSecond);
  }

  /** @param status 499 where the client went away first */
  write(exchange: Exchange, status: number, milliseconds: number): void {
    const isFault = status >= 500;
    if (!isFault && !this.isChosen() && !this.isAskedFor(exchange, status, milliseconds)) return;
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
      reason: exchange.refusedBecause,
    };
    if (isFault) this.logger.warn(entry, 'request failed');
    else this.logger.log(entry, 'request');
  }

  private isChosen(): boolean {
    const { sample } = this.options;
    return sample > 0 && Math.random() < sample;
  }

  private isAskedFor(exchange: Exchange, status: number, milliseconds: number): boolean {
    const why = standsOut(exchange, status, milliseconds, this.options.slowMs);
    return why !== undefined && this.others.take();
  }
}
