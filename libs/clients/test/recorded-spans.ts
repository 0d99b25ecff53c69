import {
  newRequestContext,
  newTrace,
  requestContext,
  type SpanOptions,
  type TraceContext,
  Tracing,
} from '@gatehouse/kernel';

export interface Recorded {
  name: string;
  trace: TraceContext;
  attributes: Record<string, unknown>;
  events: number;
  failed: boolean;
  ended: number;
}

/** Does `work` in a piece of work that is being recorded. @returns its span and all under it, as they begin and end */
export function recording<T>(work: () => Promise<T>): { spans: Recorded[]; done: Promise<T> } {
  const spans: Recorded[] = [];
  const start = (trace: TraceContext, name: string, { attributes }: SpanOptions) => {
    const span: Recorded = {
      name,
      trace,
      attributes: { ...attributes },
      events: 0,
      failed: false,
      ended: 0,
    };
    spans.push(span);
    return {
      setAttribute: (key: string, value: unknown) => (span.attributes[key] = value),
      setAttributes: (more: object) => Object.assign(span.attributes, more),
      addEvent: () => (span.events += 1),
      setStatus: () => (span.failed = true),
      end: () => (span.ended += 1),
    } as never;
  };
  const context = newRequestContext({ trace: newTrace() });
  Tracing.of({ start }, 1).enter(context, 'work', {}, false);
  return { spans, done: requestContext.run(context, work) };
}
