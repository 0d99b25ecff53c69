import { isatty } from 'node:tty';

import type { KernelConfig } from '../config/kernel.config.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { ServiceInfo } from '../service/service-info.ts';
import { resourceAttributes } from '../tracing/resource.ts';
import { TracingConfig } from '../tracing/tracing.config.ts';
import { logsUrl, OtlpLogsConfig } from './otlp-logs.config.ts';
import { FileSink } from './sinks/file.sink.ts';
import type { LogSink, SinkName, SinkObserver } from './sinks/log-sink.ts';
import { StdoutSink } from './sinks/stdout.sink.ts';

/**
 * The sinks that the configuration asks for. What only one of them needs is loaded with it.
 * @throws ConfigError where LOG_FILE cannot be written
 */
export async function openSinks(
  config: KernelConfig,
  service: ServiceInfo,
  tell: Pick<SinkObserver, 'failing' | 'recovered'>,
): Promise<LogSink[]> {
  const lost = new Metrics().counter(
    'log_lines_dropped_total',
    'Log lines that a sink had no room for, because it was slow or gone',
    ['sink'],
  );
  const observer: SinkObserver = {
    ...tell,
    dropped: (sink, lines) => lost.inc({ sink }, lines),
  };
  const maxBytes = config.LOG_BUFFER_BYTES;
  const sinks: LogSink[] = [];
  if (config.LOG_STDOUT === 'on') {
    const pretty = config.LOG_FORMAT !== 'json' && isatty(1);
    const format = pretty ? await (await import('./sinks/pretty.ts')).prettyFormat() : undefined;
    sinks.push(new StdoutSink({ maxBytes, ...(format && { format }) }, observer));
  }
  if (config.LOG_FILE !== undefined) {
    const path = config.LOG_FILE.replaceAll('{service}', service.name).replaceAll(
      '{instance}',
      service.instanceId,
    );
    const { LOG_FILE_MAX_BYTES: fileBytes, LOG_FILE_KEEP: keep } = config;
    sinks.push(new FileSink({ path, fileBytes, keep, maxBytes }, observer));
  }
  const otlp = new TracingConfig();
  const url = logsUrl(new OtlpLogsConfig(), otlp);
  if (url !== undefined) {
    const { OtlpSink } = await import('./sinks/otlp.sink.ts');
    sinks.push(
      new OtlpSink({ url, maxBytes, config: otlp }, resourceAttributes(otlp, service), observer),
    );
  }
  for (const { name } of sinks) lost.inc({ sink: name satisfies SinkName }, 0);
  return sinks;
}
