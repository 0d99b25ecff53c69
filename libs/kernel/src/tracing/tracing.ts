import { Logger } from '@nestjs/common';
import type { Counter } from 'prom-client';

import type { RequestContext } from '../context/request-context.ts';
import type { TraceContext } from '../context/trace-context.ts';
import type { Lifecycle } from '../lifecycle/lifecycle.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ServiceInfo } from '../service/service-info.ts';
import type { ExportObserver } from './counted-export.ts';
import { RecordedSpan, type SpanOptions, type SpanRecorder } from './recorded-span.ts';
import { headRatio, type TracingConfig, tracesUrl } from './tracing.config.ts';

/** How long a stop waits for the last spans to be taken. */
const STOP_MS = 3_000;
const WARN_EVERY_MS = 60_000;

/**
 * Whether and where this process records spans. Off (no endpoint), it decides and records nothing, and the SDK is not
 * loaded. On, a trace is decided once, where it begins; whoever is told of it by a service of the platform follows.
 */
export class Tracing {
  private constructor(
    private readonly recorder: SpanRecorder | undefined,
    private readonly ratio: number,
  ) {}

  /** Records nothing. */
  static readonly off = new Tracing(undefined, 0);

  /** Records all that `recorder` is given: for tests and benchmarks. */
  static of(recorder: SpanRecorder, ratio: number): Tracing {
    return new Tracing(recorder, ratio);
  }

  /** Awaited before any other part of the service is made. */
  static async start(
    config: TracingConfig,
    service: ServiceInfo,
    metrics: Metrics,
    lifecycle: Lifecycle,
  ): Promise<Tracing> {
    const observer = exportObserver(metrics);
    const url = tracesUrl(config);
    if (url === undefined) return Tracing.off;
    const { OtelRecorder } = await import('./otel-recorder.ts');
    const recorder = new OtelRecorder(config, service, url, observer);
    // The first to register in this phase is the last to run: what others flush may still be recorded.
    lifecycle.onStop('flush', 'traces', () => recorder.stop(STOP_MS));
    return new Tracing(recorder, headRatio(config));
  }

  get on(): boolean {
    return this.recorder !== undefined;
  }

  /** Whether a trace that begins here is sampled. By chance alone: an id that a client chose decides nothing. */
  decide(): boolean {
    return this.ratio > 0 && (this.ratio >= 1 || Math.random() < this.ratio);
  }

  /** Begins the span that `trace` names; undefined where tracing is off. Whether it is sampled is the caller's to ask. */
  begin(trace: TraceContext, name: string, options: SpanOptions): RecordedSpan | undefined {
    const { recorder } = this;
    if (recorder === undefined) return undefined;
    return new RecordedSpan(trace, recorder.start(trace, name, options), recorder);
  }

  /**
   * Begins the span of the whole of a piece of work, where it is sampled, and puts it into its context.
   * @param believed whether who called is of the platform: else the sampling it asks for counts for nothing
   */
  enter(context: RequestContext, name: string, options: SpanOptions, believed: boolean): void {
    const { trace } = context;
    const sampled = believed && trace.parentSpanId !== undefined ? trace.sampled : this.decide();
    if (sampled !== trace.sampled) context.trace = { ...trace, sampled };
    if (!sampled) return;
    const span = this.begin(context.trace, name, options);
    if (span !== undefined) context.span = span;
  }
}

function exportObserver(metrics: Metrics): ExportObserver {
  const { exported, dropped } = spanMetrics(metrics);
  const logger = new Logger('Tracing');
  let warned = Number.NEGATIVE_INFINITY;
  return {
    exported: (count) => exported.inc(count),
    dropped: (reason, count, error) => {
      dropped.inc({ reason }, count);
      if (performance.now() - warned < WARN_EVERY_MS) return;
      warned = performance.now();
      logger.warn({ err: error, reason, spans: count }, 'spans were dropped');
    },
  };
}

const DROPPED = ['queue_full', 'export_failed', 'rate_limited'] as const;

/** What became of spans, from 0 on. `rate_limited`: of unsampled requests at the gateway, beyond their rate. */
export function spanMetrics(metrics: Metrics): {
  exported: Counter;
  dropped: Counter<'reason'>;
} {
  const exported = metrics.counter(
    'otel_spans_exported_total',
    'Spans that the Collector has taken',
  );
  const dropped = metrics.counter(
    'otel_spans_dropped_total',
    'Spans that were not sent: the queue was full, the export failed, or they were too many',
    ['reason'],
  );
  for (const reason of DROPPED) dropped.inc({ reason }, 0);
  return { exported, dropped };
}
