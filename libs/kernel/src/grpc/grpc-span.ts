import { SpanKind } from '@opentelemetry/api';
import { status as Code } from '@grpc/grpc-js';

import type { RequestContext } from '../context/request-context.ts';
import { asPlatformError } from '../errors/as-platform-error.ts';
import { ATTRIBUTE, GATEHOUSE } from '../tracing/attributes.ts';
import type { Tracing } from '../tracing/tracing.ts';

/** What of a server's answers is its failure, and not the caller's (semantic conventions for gRPC). */
const FAILURES = new Set<Code>([
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.UNIMPLEMENTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
  Code.DATA_LOSS,
]);

const BEGIN = Symbol('begins the span of a call');

/**
 * Keeps the span of a call ready until its caller is known: a peer that cannot prove to be of the platform gets none,
 * whatever it asks for.
 * @param path `/package.Service/Method`
 */
export function prepareGrpcSpan(tracing: Tracing, context: RequestContext, path: string): void {
  if (!tracing.on || !context.trace.sampled) return;
  const method = path.slice(1);
  context.locals.set(BEGIN, () => {
    const attributes = {
      [ATTRIBUTE.RPC_SYSTEM_NAME]: 'grpc',
      [ATTRIBUTE.RPC_METHOD]: method,
      [GATEHOUSE.REQUEST_ID]: context.requestId,
    };
    tracing.enter(context, method, { kind: SpanKind.SERVER, attributes }, true);
  });
}

/** For guards, as soon as they have set `context.caller`: from here on its word on sampling counts. */
export function callerVerified(context: RequestContext): void {
  const begin = context.locals.get(BEGIN) as (() => void) | undefined;
  if (begin === undefined) return;
  context.locals.delete(BEGIN);
  begin();
}

/** @param error what the handler threw, where it did */
export function endGrpcSpan(context: RequestContext, code: Code, error?: unknown): void {
  const { span } = context;
  if (span === undefined) return;
  const status = Code[code];
  span.set({ [ATTRIBUTE.RPC_STATUS_CODE]: status });
  if (error !== undefined) span.set({ [GATEHOUSE.CODE]: asPlatformError(error).code });
  if (context.caller !== undefined) span.set({ [GATEHOUSE.CALLER]: context.caller });
  if (context.principal !== undefined) span.set({ [ATTRIBUTE.USER_ID]: context.principal.id });
  if (FAILURES.has(code)) span.fail(status);
  span.end();
}
