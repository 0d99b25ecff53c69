import { parseTraceparent } from '@gatehouse/kernel';
import { randomHex } from './random-hex.ts';

/** W3C Trace Context, made by hand: a span is recorded only where a trace is sampled. */
export interface EdgeTrace {
  readonly traceId: string;
  /** `00-<trace>-<span of the gateway>-<flags>` */
  readonly traceparent: string;
  readonly tracestate: string | undefined;
}

/** The caller's trace with a span of the gateway, or a new trace, sampled at `ratio`. */
export function edgeTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
  ratio: number,
): EdgeTrace {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent, tracestate);
  const traceId = parent?.traceId ?? randomHex(32);
  const sampled = parent?.sampled ?? (ratio > 0 && Math.random() < ratio);
  return {
    traceId,
    traceparent: `00-${traceId}-${randomHex(16)}-${sampled ? '01' : '00'}`,
    tracestate: parent?.state,
  };
}
