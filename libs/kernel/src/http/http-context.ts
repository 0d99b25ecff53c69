import type { IncomingMessage } from 'node:http';

import { newId } from '../context/new-id.ts';
import type { RequestContext } from '../context/request-context.ts';
import { continueTrace } from '../context/trace-context.ts';

const CONTEXT = Symbol('request context');

/** The context of an HTTP request, also where AsyncLocalStorage does not reach (logs of the answer, errors while reading). */
export function contextOf(request: IncomingMessage): RequestContext | undefined {
  return (request as { [CONTEXT]?: RequestContext })[CONTEXT];
}

/**
 * Makes the context of an HTTP request. It believes no header but `traceparent`: request id, caller, principal and the
 * client's own address are for guards to set, once they have verified the gateway's word.
 */
export function openContext(request: IncomingMessage): RequestContext {
  const context: RequestContext = {
    requestId: newId(),
    trace: continueTrace(single(request, 'traceparent'), single(request, 'tracestate')),
    locals: new Map(),
  };
  const address = request.socket.remoteAddress;
  if (address !== undefined) context.clientIp = plainAddress(address);
  (request as { [CONTEXT]?: RequestContext })[CONTEXT] = context;
  return context;
}

/** `::ffff:192.0.2.1` is 192.0.2.1. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function single(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
