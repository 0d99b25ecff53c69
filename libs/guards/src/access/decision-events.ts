import {
  asPlatformError,
  DECISION,
  GATEHOUSE,
  type RecordedSpan,
  type SpanAttributes,
} from '@gatehouse/kernel';

interface Outcome {
  allowed: boolean;
  /** In words of ours, never with what was sent. */
  reason: string;
}

/** Adds a decision to the span of the call, with its reason. */
export function decisionEvent(
  span: RecordedSpan | undefined,
  name: (typeof DECISION)[keyof typeof DECISION],
  { allowed, reason }: Outcome,
  attributes: SpanAttributes = {},
): void {
  span?.event(name, {
    [GATEHOUSE.OUTCOME]: allowed ? 'allowed' : 'refused',
    [GATEHOUSE.REASON]: reason,
    ...attributes,
  });
}

/** A refusal that was thrown, by its code: the text of an error may repeat what was sent. */
export function refusalEvent(
  span: RecordedSpan | undefined,
  name: (typeof DECISION)[keyof typeof DECISION],
  error: unknown,
): void {
  if (span === undefined) return;
  decisionEvent(span, name, { allowed: false, reason: asPlatformError(error).code });
}
