import { continueTrace, formatTraceparent, newTrace, parseTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('W3C trace context', () => {
  it('reads a traceparent and its state', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`, 'vendor=1')).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
      state: 'vendor=1',
    });
  });

  it.each([
    ['nothing', undefined],
    ['an all-zero trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['an all-zero span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more fields', `00-${TRACE}-${SPAN}-01-extra`],
    ['too short a span', `00-${TRACE}-${SPAN.slice(1)}-01`],
    ['a list of two', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
  ])('refuses %s', (_name, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('reads a later version by its first fields', () => {
    expect(parseTraceparent(`01-${TRACE}-${SPAN}-00-more`)).toMatchObject({ traceId: TRACE });
  });

  it('continues a trace as a child span, and keeps its sampling', () => {
    const trace = continueTrace(`00-${TRACE}-${SPAN}-01`);
    expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, sampled: true });
    expect(trace.spanId).not.toBe(SPAN);
    expect(formatTraceparent(trace)).toBe(`00-${TRACE}-${trace.spanId}-01`);
  });

  it('begins a trace where the caller has none', () => {
    const trace = continueTrace('rubbish');
    expect(parseTraceparent(formatTraceparent(trace))).toBeDefined();
    expect(trace.traceId).not.toBe(newTrace().traceId);
  });

  it('drops a tracestate that cannot be read, and keeps the trace', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`, 'a'.repeat(600))).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
    });
  });
});
