import { setTimeout as sleep } from 'node:timers/promises';

import { type Attributes, context } from '@opentelemetry/api';
import { ExportResultCode, suppressTracing } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';

import type { TracingConfig } from '../../tracing/tracing.config.ts';
import { LineBuffer } from './line-buffer.ts';
import type { LogSink, SinkObserver } from './log-sink.ts';
import { otlpRecord, type RecordOrigin } from './otlp-record.ts';

const BATCH_LINES = 512;
const BATCH_BYTES = 1024 * 1024;
/** How long a line waits for company. */
const DELAY_MS = 1000;
const MAX_RETRY_MS = 30_000;

export interface OtlpOptions {
  /** `http://otelcol:4318/v1/logs` */
  url: string;
  /** Of lines that wait to be sent. */
  maxBytes: number;
  /** How the Collector is spoken to, the same as for traces. */
  config: Pick<
    TracingConfig,
    'OTEL_EXPORTER_OTLP_COMPRESSION' | 'OTEL_EXPORTER_OTLP_HEADERS' | 'OTEL_EXPORTER_OTLP_TIMEOUT'
  >;
}

/**
 * An OpenTelemetry Collector, over OTLP/HTTP. Lines are sent in batches, one at a time; while nobody takes them they wait,
 * up to `maxBytes`.
 */
export class OtlpSink implements LogSink {
  readonly name = 'otlp';
  readonly #buffer: LineBuffer;
  readonly #exporter: OTLPLogExporter;
  readonly #origin: RecordOrigin;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failing = false;

  constructor(
    { url, maxBytes, config }: OtlpOptions,
    resource: Attributes,
    private readonly observer: SinkObserver,
  ) {
    this.#exporter = new OTLPLogExporter({
      url,
      headers: config.OTEL_EXPORTER_OTLP_HEADERS,
      timeoutMillis: config.OTEL_EXPORTER_OTLP_TIMEOUT,
      // Its type is an enum that the package does not export; the values are the variable's.
      compression: config.OTEL_EXPORTER_OTLP_COMPRESSION as never,
    });
    this.#origin = {
      resource: resourceFromAttributes(resource),
      instrumentationScope: { name: '@gatehouse/kernel' },
    };
    this.#buffer = new LineBuffer(maxBytes, (lines) => observer.dropped(this.name, lines));
  }

  write(line: string): void {
    this.#buffer.push(line);
    if (this.#buffer.length >= BATCH_LINES) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), DELAY_MS).unref();
  }

  async flush(): Promise<void> {
    if (this.#buffer.length > 0) this.#send();
    await this.#sending;
  }

  /** Nothing can be sent without waiting. */
  flushSync(): void {
    return;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#buffer.length > 0) {
      const lines = this.#buffer.take(BATCH_BYTES, BATCH_LINES);
      await this.#sendBatch(lines.map((line) => otlpRecord(line, this.#origin)));
      if (this.#buffer.length === 0) this.#recover();
    }
  }

  /** Tries until the batch is taken or refused for what it is. */
  async #sendBatch(records: ReadableLogRecord[]): Promise<void> {
    for (let wait = DELAY_MS; ; wait = Math.min(2 * wait, MAX_RETRY_MS)) {
      try {
        await this.#export(records);
        return;
      } catch (error) {
        if (!this.#failing) this.observer.failing(this.name, error);
        this.#failing = true;
        if (isRefusal(error)) {
          this.#buffer.drop(records.length);
          return;
        }
        await sleep(wait, undefined, { ref: false });
      }
    }
  }

  #export(records: ReadableLogRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      // Else sending lines would make spans.
      context.with(suppressTracing(context.active()), () => {
        this.#exporter.export(records, ({ code, error }) => {
          if (code === ExportResultCode.SUCCESS) resolve();
          else reject(error ?? new Error('the Collector did not take log lines'));
        });
      });
    });
  }

  #recover(): void {
    const dropped = this.#buffer.takeDropped();
    const told = this.#failing || dropped > 0;
    this.#failing = false;
    if (told) this.observer.recovered(this.name, dropped);
  }
}

/** The Collector understood and will not take this batch, however often it is asked. */
function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' && code >= 400 && code < 500 && code !== 408 && code !== 429;
}
