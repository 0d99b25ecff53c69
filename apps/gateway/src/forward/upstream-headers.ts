import type { Exchange } from '../front/exchange.ts';

/**
 * The headers a service gets: the client's end-to-end ones, and what only the gateway may say. Raw: name, value, name,
 * value.
 *
 * @param via the gateway's `Gatehouse-Via` for the service
 * @param scheme `http`, or what a trusted proxy before the gateway says
 */
export function upstreamHeaders(exchange: Exchange, via: string, scheme: string): string[] {
  const { head, client, trace } = exchange;
  const headers = head.forwarded;
  if (head.authorization !== undefined) headers.push('authorization', head.authorization);
  if (head.cookie !== undefined) headers.push('cookie', head.cookie);
  if (head.contentType !== undefined) headers.push('content-type', head.contentType);
  headers.push(
    'gatehouse-via',
    via,
    'x-request-id',
    exchange.requestId,
    'traceparent',
    trace.traceparent,
    'x-forwarded-for',
    client.address,
    'x-forwarded-proto',
    scheme,
    'x-forwarded-host',
    head.host ?? '',
  );
  if (trace.state !== undefined) headers.push('tracestate', trace.state);
  return headers;
}
