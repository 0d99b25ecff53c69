import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

/** What happens to spans, for metrics and logs. */
export interface ExportObserver {
  exported(count: number): void;
  dropped(reason: 'queue_full' | 'export_failed', count: number, error?: Error): void;
}

/** Tells of each batch how its export ended. A failed one is not sent again: the exporter has tried for its whole time. */
export class CountedExporter implements SpanExporter {
  constructor(
    private readonly inner: SpanExporter,
    private readonly observer: ExportObserver,
    private readonly taken: (count: number) => void,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.taken(spans.length);
    this.inner.export(spans, (result) => {
      if (result.code === ExportResultCode.SUCCESS) this.observer.exported(spans.length);
      else this.observer.dropped('export_failed', spans.length, result.error);
      // To the batch processor a failure is news for a handler of the whole process; it has been told of here.
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  forceFlush(): Promise<void> {
    return this.inner.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }
}

/** The SDK's batches behind a bound of our own, which counts what it turns away. */
export class BoundedProcessor implements SpanProcessor {
  private waiting = 0;

  constructor(
    private readonly limit: number,
    private readonly observer: ExportObserver,
    batches: (taken: (count: number) => void) => SpanProcessor,
  ) {
    this.inner = batches((count) => {
      this.waiting -= count;
    });
  }

  private readonly inner: SpanProcessor;

  onStart(): void {
    // Spans are batched when they end.
  }

  onEnd(span: ReadableSpan): void {
    if (this.waiting >= this.limit) {
      this.observer.dropped('queue_full', 1);
      return;
    }
    this.waiting += 1;
    this.inner.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }
}
