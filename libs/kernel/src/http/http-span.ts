import { SpanKind } from '@opentelemetry/api';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { RequestContext } from '../context/request-context.ts';
import { errorCodeOf } from '../errors/all-errors.filter.ts';
import { ATTRIBUTE, GATEHOUSE } from '../tracing/attributes.ts';
import type { Tracing } from '../tracing/tracing.ts';

/** Begins the server span of a request, once it is known who called. */
export function beginHttpSpan(
  tracing: Tracing,
  context: RequestContext,
  request: FastifyRequest,
): void {
  const { method } = request;
  const attributes = {
    [ATTRIBUTE.HTTP_REQUEST_METHOD]: method,
    [ATTRIBUTE.URL_SCHEME]: 'http',
    [ATTRIBUTE.NETWORK_PROTOCOL_VERSION]: request.raw.httpVersion,
    [GATEHOUSE.REQUEST_ID]: context.requestId,
  };
  const believed = context.caller !== undefined;
  tracing.enter(context, method, { kind: SpanKind.SERVER, attributes }, believed);
}

/** Ends it: the answer is out, or its client has gone before. */
export function endHttpSpan(
  context: RequestContext,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { span } = context;
  if (span === undefined) return;
  const { statusCode } = reply;
  // A path nobody serves is the caller's invention, and stays out.
  const route = request.is404 ? undefined : request.routeOptions.url;
  if (route !== undefined) {
    const [path = ''] = request.url.split('?', 1);
    span.rename(`${request.method} ${route}`);
    span.set({ [ATTRIBUTE.HTTP_ROUTE]: route, [ATTRIBUTE.URL_PATH]: path });
  }
  span.set({ [ATTRIBUTE.HTTP_RESPONSE_STATUS_CODE]: statusCode });
  const code = errorCodeOf(request.raw);
  if (code !== undefined) span.set({ [GATEHOUSE.CODE]: code });
  if (context.caller !== undefined) span.set({ [GATEHOUSE.CALLER]: context.caller });
  if (context.principal !== undefined) span.set({ [ATTRIBUTE.USER_ID]: context.principal.id });
  if (!reply.raw.writableFinished) span.set({ [ATTRIBUTE.ERROR_TYPE]: 'client_gone' });
  else if (statusCode >= 500) span.fail(code ?? String(statusCode));
  span.end();
}
