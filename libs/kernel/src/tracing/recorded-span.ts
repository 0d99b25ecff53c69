import {
  type Attributes,
  type Link,
  type Span,
  type SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api';

import { childSpan, type TraceContext } from '../context/trace-context.ts';
import { asPlatformError } from '../errors/as-platform-error.ts';
import { statusOf } from '../errors/problem.ts';
import { ATTRIBUTE, GATEHOUSE } from './attributes.ts';

export interface SpanOptions {
  /** Default: internal. */
  kind?: SpanKind;
  attributes?: Attributes;
  links?: Link[];
  /** Milliseconds since the epoch; default: now. */
  startTime?: number;
}

/** Makes spans of ids that are chosen already: the trace context is the truth, OpenTelemetry records it. */
export interface SpanRecorder {
  start(trace: TraceContext, name: string, options: SpanOptions): Span;
}

/**
 * A span that is being recorded, under ids that travel with the work. What is attached to it is names and codes, never what
 * was sent: no value, no token, not even an error's message, which may repeat either.
 */
export class RecordedSpan {
  private isOver = false;

  constructor(
    readonly trace: TraceContext,
    private readonly span: Span,
    private readonly recorder: SpanRecorder,
  ) {}

  /** A span under this one, in the same process. */
  child(name: string, options: SpanOptions = {}): RecordedSpan {
    const trace = childSpan(this.trace);
    return new RecordedSpan(trace, this.recorder.start(trace, name, options), this.recorder);
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  set(attributes: Attributes): void {
    this.span.setAttributes(attributes);
  }

  event(name: string, attributes?: Attributes): void {
    this.span.addEvent(name, attributes);
  }

  /** Marks it as failed. @param type a class or code of errors, of which there are few */
  fail(type: string): void {
    this.span.setAttribute(ATTRIBUTE.ERROR_TYPE, type);
    this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  /** What was thrown. A refusal that is the caller's own fault has a code and is no failure. */
  threw(error: unknown): void {
    const { code, kind } = asPlatformError(error);
    this.span.setAttribute(GATEHOUSE.CODE, code);
    if (statusOf(kind) >= 500) this.fail(code);
  }

  /** Safe to call again. A span that is never ended is never sent. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.span.end();
  }
}
