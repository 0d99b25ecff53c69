import { ROOT_CONTEXT, type Span, SpanKind, trace as api, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

import type { TraceContext } from '../context/trace-context.ts';
import type { ServiceInfo } from '../service/service-info.ts';
import { BoundedProcessor, CountedExporter, type ExportObserver } from './counted-export.ts';
import type { SpanOptions, SpanRecorder } from './recorded-span.ts';
import { resourceAttributes } from './resource.ts';
import type { TracingConfig } from './tracing.config.ts';

/** Characters of one attribute. */
const MAX_ATTRIBUTE = 2_048;

/** Gives the SDK the ids that the trace context has chosen. */
class ChosenIds implements IdGenerator {
  next: Pick<TraceContext, 'traceId' | 'spanId'> = { traceId: '', spanId: '' };

  generateTraceId(): string {
    return this.next.traceId;
  }

  generateSpanId(): string {
    return this.next.spanId;
  }
}

/**
 * The SDK, loaded only where tracing is on. What is handed to it is sampled already, so it records all. It registers
 * nothing globally: two services in one process (tests) have one each.
 */
export class OtelRecorder implements SpanRecorder {
  private readonly ids = new ChosenIds();
  private readonly provider: TracerProvider;
  private readonly tracer;

  constructor(config: TracingConfig, service: ServiceInfo, url: string, observer: ExportObserver) {
    const headers = {
      ...config.OTEL_EXPORTER_OTLP_HEADERS,
      ...config.OTEL_EXPORTER_OTLP_TRACES_HEADERS,
    };
    const exporter = new OTLPTraceExporter({
      url,
      headers,
      timeoutMillis: config.OTEL_EXPORTER_OTLP_TIMEOUT,
      compression: config.OTEL_EXPORTER_OTLP_COMPRESSION as never,
    });
    this.provider = new TracerProvider({
      resource: resourceFromAttributes(resourceAttributes(config, service)),
      sampler: new AlwaysOnSampler(),
      idGenerator: this.ids,
      spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE },
      spanProcessors: [
        new BoundedProcessor(
          config.OTEL_BSP_MAX_QUEUE_SIZE,
          observer,
          (taken) =>
            new BatchSpanProcessor({
              exporter: new CountedExporter(exporter, observer, taken),
              // Never its bound that is met, but the one around it, which counts.
              maxQueueSize: config.OTEL_BSP_MAX_QUEUE_SIZE + 1,
              maxExportBatchSize: Math.min(
                config.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
                config.OTEL_BSP_MAX_QUEUE_SIZE,
              ),
              scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY,
              exportTimeoutMillis: config.OTEL_EXPORTER_OTLP_TIMEOUT + 1_000,
            }),
        ),
      ],
    });
    this.tracer = this.provider.getTracer('@gatehouse/kernel', service.version);
  }

  start(trace: TraceContext, name: string, options: SpanOptions): Span {
    this.ids.next = trace;
    const { traceId, parentSpanId } = trace;
    const parent =
      parentSpanId === undefined
        ? ROOT_CONTEXT
        : api.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId: parentSpanId,
            traceFlags: TraceFlags.SAMPLED,
            isRemote: options.kind === SpanKind.SERVER || options.kind === SpanKind.CONSUMER,
          });
    return this.tracer.startSpan(name, options, parent);
  }

  /** Sends what waits, for a bounded time, and ends. Never rejects. */
  async stop(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([this.provider.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }
}
