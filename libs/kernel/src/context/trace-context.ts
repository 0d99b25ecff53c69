import { randomHex } from './random-hex.ts';
import { passedOnState } from './trace-state.ts';

/** W3C Trace Context (https://www.w3.org/TR/trace-context/): where one piece of work stands in its trace. */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits: this process's own span. */
  readonly spanId: string;
  /** The caller's span, where there is one. */
  readonly parentSpanId?: string;
  readonly sampled: boolean;
  /** `tracestate`, as it is passed on. */
  readonly state?: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** The specification asks to pass on at least this much; longer lists are dropped. */

/** The caller's place in its trace, or undefined where the field is absent or not valid (section 3.2.2). */
export function parseTraceparent(
  traceparent: string | undefined,
  tracestate?: string,
): TraceContext | undefined {
  const match = TRACEPARENT.exec(traceparent ?? '');
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = passedOnState(tracestate);
  return {
    traceId,
    spanId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    ...(state !== undefined && { state }),
  };
}

export function formatTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? '01' : '00'}`;
}

/** A trace that begins here. */
export function newTrace(sampled = false): TraceContext {
  const bytes = randomHex(24);
  return { traceId: bytes.slice(0, 32), spanId: bytes.slice(32), sampled };
}

/** A span of our own under the caller's. */
export function childSpan(parent: TraceContext): TraceContext {
  return { ...parent, spanId: randomHex(8), parentSpanId: parent.spanId };
}

/** What one incoming call becomes: a child of the caller's span, or a new trace. */
export function continueTrace(traceparent: string | undefined, tracestate?: string): TraceContext {
  const parent = parseTraceparent(traceparent, tracestate);
  return parent === undefined ? newTrace() : childSpan(parent);
}
