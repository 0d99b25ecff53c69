import { parseTraceparent, type TraceContext } from '@gatehouse/kernel';
import { randomHex } from './random-hex.ts';

/** W3C Trace Context, made by hand: a span is recorded only where a trace is sampled. */
export interface EdgeTrace extends TraceContext {
  /** `00-<trace>-<span of the gateway>-<flags>` */
  readonly traceparent: string;
}

/** The caller's trace with a span of the gateway, or a new trace. Whether it is sampled, no caller decides. */
export function edgeTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
  sampled: boolean,
): EdgeTrace {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent, tracestate);
  const traceId = parent?.traceId ?? randomHex(32);
  const spanId = randomHex(16);
  const own = {
    traceId,
    spanId,
    sampled,
    traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`,
  };
  if (parent === undefined) return own;
  const continued = { ...own, parentSpanId: parent.spanId };
  return parent.state === undefined ? continued : { ...continued, state: parent.state };
}
