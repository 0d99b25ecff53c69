import type { Exchange } from '../front/exchange.ts';
import type { AccessLog } from './access-log.ts';
import type { EdgeSpans } from './edge-spans.ts';
import type { Refusals } from './refusals.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** nginx's status for a client that went away before it was answered. */
const CLIENT_CLOSED_REQUEST = 499;

/** What happens when a request is over: counted always, logged and traced by sample. */
export function requestObserver(
  metrics: RequestMetrics,
  refusals: Refusals,
  log: AccessLog,
  spans: EdgeSpans,
): (exchange: Exchange) => void {
  return (exchange) => {
    const { response, route, startedAt, trace, refusedWith } = exchange;
    const milliseconds = performance.now() - startedAt;
    const isCut = !response.writableFinished && response.statusCode !== 101;
    const status = isCut ? CLIENT_CLOSED_REQUEST : response.statusCode;
    const traceId = trace.sampled ? trace.traceId : undefined;
    (route?.series ?? metrics.unmatched).observe(status, milliseconds, traceId);
    if (refusedWith !== undefined) refusals.count(refusedWith);
    log.write(exchange, status, milliseconds);
    spans.end(exchange, status, milliseconds);
  };
}
