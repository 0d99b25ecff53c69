import {
  ATTRIBUTE,
  formatTraceparent,
  GATEHOUSE,
  type RecordedSpan,
  SpanKind,
} from '@gatehouse/kernel';
import type { Exchange } from '../front/exchange.ts';
import type { UpstreamInstance } from '../upstream/upstream-instance.ts';

/** Begins the client span of one attempt at an instance; undefined where the request is not sampled. */
export function beginAttempt(
  exchange: Exchange,
  instance: UpstreamInstance,
): RecordedSpan | undefined {
  const { span, method, target, pathEnd, attempts } = exchange;
  if (span === undefined) return undefined;
  const { hostname, port } = new URL(instance.url);
  return span.child(method, {
    kind: SpanKind.CLIENT,
    attributes: {
      [ATTRIBUTE.HTTP_REQUEST_METHOD]: method,
      [ATTRIBUTE.SERVER_ADDRESS]: hostname,
      [ATTRIBUTE.SERVER_PORT]: Number(port),
      // Without its query, where search terms and worse may stand.
      [ATTRIBUTE.URL_FULL]: `${instance.url}${target.slice(0, Math.max(0, pathEnd))}`,
      [GATEHOUSE.UPSTREAM]: instance.service,
      [GATEHOUSE.UPSTREAM_INSTANCE]: instance.instanceId,
      ...(attempts > 1 && { [ATTRIBUTE.HTTP_REQUEST_RESEND_COUNT]: attempts - 1 }),
    },
  });
}

/** The headers of an attempt: its own span is the parent of what the service records. */
export function headersUnder(span: RecordedSpan, headers: readonly string[]): string[] {
  const own = [...headers];
  const at = own.findIndex((name, index) => index % 2 === 0 && name === 'traceparent');
  own[at + 1] = formatTraceparent(span.trace);
  return own;
}

/** @param outcome the status answered, or what kept one from coming */
export function endAttempt(span: RecordedSpan | undefined, outcome: number | string): void {
  if (span === undefined) return;
  if (typeof outcome === 'number') {
    span.set({ [ATTRIBUTE.HTTP_RESPONSE_STATUS_CODE]: outcome });
    // To a client each refusal is a failure (semantic conventions for HTTP).
    if (outcome >= 400) span.fail(String(outcome));
  } else {
    span.fail(outcome);
  }
  span.end();
}
