import { AsyncLocalStorage } from 'node:async_hooks';

import type { RecordedSpan } from '../tracing/recorded-span.ts';
import { newId } from './new-id.ts';
import { newTrace, type TraceContext } from './trace-context.ts';

/** Who a call is made for. Set by guards once the access token is verified. */
export interface Principal {
  id: string;
  type: 'user' | 'service';
  sessionId: string;
  clientId: string;
  /** Absent: platform scope only. */
  organizationId?: string;
  /** The access token itself, to be passed along. */
  token: string;
  /** Seconds since the epoch. */
  expiresAt: number;
}

/**
 * What is known of the work in hand: one HTTP request, gRPC call, event or background task. One object a piece of work;
 * guards fill in what they have verified.
 */
export interface RequestContext {
  requestId: string;
  trace: TraceContext;
  /** The span being recorded, whose ids are those of `trace`; absent where the trace is not sampled or tracing is off. */
  span?: RecordedSpan;
  principal?: Principal;
  /** The calling service, verified from `Gatehouse-Via`. */
  caller?: string;
  /** The peer's address; the client's own once the gateway has vouched for it. */
  clientIp?: string;
  /** Milliseconds since the epoch by which the caller wants its answer. */
  deadline?: number;
  /** Aborted when the caller goes away. */
  signal?: AbortSignal;
  /** What libraries keep with a piece of work, each under a symbol of its own. */
  readonly locals: Map<symbol, unknown>;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** The context of the work in hand, carried by AsyncLocalStorage. */
export const requestContext = {
  current(): RequestContext | undefined {
    return storage.getStore();
  },
  /** @throws where no work is in hand: a mistake in the program */
  require(): RequestContext {
    const context = storage.getStore();
    if (context === undefined) throw new Error('there is no request context here');
    return context;
  },
  run<T>(context: RequestContext, fn: () => T): T {
    return storage.run(context, fn);
  },
};

/** A context for work that begins here, such as a background task, with what is known of it. */
export function newRequestContext(known: Partial<RequestContext> = {}): RequestContext {
  return {
    ...known,
    requestId: known.requestId ?? newId(),
    trace: known.trace ?? newTrace(),
    locals: known.locals ?? new Map<symbol, unknown>(),
  };
}
