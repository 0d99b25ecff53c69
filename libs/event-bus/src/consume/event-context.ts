import type { CloudEvent } from '@gatehouse/contracts-platform';
import {
  continueTrace,
  newRequestContext,
  requestContext,
  type RequestContext,
} from '@gatehouse/kernel';

const EVENT = Symbol('the event being handled');

/**
 * The context a handler runs in: the trace of the request that caused the event goes on, the caller is the event's source,
 * the request id is the event's id. There is no principal, for there is no token; the actor is `actorOf(context)`.
 */
export function eventContext(event: CloudEvent, timeoutMs: number): RequestContext {
  return newRequestContext({
    requestId: event.id,
    trace: continueTrace(event.traceparent),
    caller: event.source,
    deadline: Date.now() + timeoutMs,
    locals: new Map<symbol, unknown>([[EVENT, event]]),
  });
}

/** The event being handled; its id is the idempotency key for calls to the outside. */
export function currentEvent(
  context: RequestContext | undefined = requestContext.current(),
): CloudEvent | undefined {
  return context?.locals.get(EVENT) as CloudEvent | undefined;
}

/** Who caused the work in hand: the principal of a request, or the `userid` of the event being handled. */
export function actorOf(
  context: RequestContext | undefined = requestContext.current(),
): string | undefined {
  return context?.principal?.id ?? currentEvent(context)?.userid;
}
