import { NotAuthenticated } from '@gatehouse/contracts-platform';
import type { ViaTokens } from '@gatehouse/discovery';
import {
  childSpan,
  formatTraceparent,
  newId,
  newTrace,
  type RequestContext,
  requestContext,
  type TraceContext,
} from '@gatehouse/kernel';
import type { CallHeaders, CallOptions } from './client.types.ts';

/** The call's own span, where it is recorded; else one that nobody will look for. */
function traceOf(context: RequestContext | undefined): TraceContext {
  if (context === undefined) return newTrace();
  return context.span === undefined ? childSpan(context.trace) : context.trace;
}

/**
 * What goes with every call to `service`: who is calling (`gatehouse-via`), for whom (`authorization`), and what
 * the work in hand is (`x-request-id`, `traceparent`, `tracestate`).
 * @throws {NotAuthenticated} where the call is to be made as the caller and there is no caller
 */
export function callHeaders(
  via: ViaTokens,
  service: string,
  options: CallOptions,
): CallHeaders | Promise<CallHeaders> {
  const context = requestContext.current();
  const token = options.as === 'service' ? undefined : context?.principal?.token;
  if (options.as === 'caller' && token === undefined)
    throw new NotAuthenticated(`a call to ${service} is made for a user, and there is none`);
  const trace = traceOf(context);
  const headers: Record<string, string | undefined> = {
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    'x-request-id': context?.requestId ?? newId(),
    traceparent: formatTraceparent(trace),
    tracestate: trace.state,
    'gatehouse-via': undefined,
  };
  const issued = via.issue(service);
  if (typeof issued !== 'string')
    return issued.then((signed) => ({ ...headers, 'gatehouse-via': signed }));
  headers['gatehouse-via'] = issued;
  return headers;
}
