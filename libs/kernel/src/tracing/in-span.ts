import { type RequestContext, requestContext } from '../context/request-context.ts';
import type { RecordedSpan, SpanOptions } from './recorded-span.ts';

/** The same work, as seen from within `span`: what is called, logged and recorded there stands under it. */
export function withSpan(context: RequestContext, span: RecordedSpan): RequestContext {
  return { ...context, trace: span.trace, span };
}

/**
 * Runs `work` as a span under the current one. Where the work in hand is not recorded it only runs it: one look at the
 * context is all that costs.
 */
export function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: RecordedSpan | undefined) => Promise<T>,
): Promise<T> {
  const context = requestContext.current();
  const parent = context?.span;
  return context === undefined || parent === undefined
    ? work(undefined)
    : runAs(context, parent.child(name, options), work);
}

function runAs<T>(
  context: RequestContext,
  span: RecordedSpan,
  work: (span: RecordedSpan) => Promise<T>,
): Promise<T> {
  return requestContext.run(withSpan(context, span), async () => {
    try {
      return await work(span);
    } catch (error) {
      span.threw(error);
      throw error;
    } finally {
      span.end();
    }
  });
}
