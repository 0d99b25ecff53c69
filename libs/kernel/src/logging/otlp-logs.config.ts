import { z } from 'zod';

import { configOf } from '../config/config-of.ts';
import type { TracingConfig } from '../tracing/tracing.config.ts';

/** What logs have of their own among OpenTelemetry's variables; endpoint, headers and the like are shared with traces. */
export class OtlpLogsConfig extends configOf({
  /** `none`: no logs to the Collector, even where an endpoint is set. */
  OTEL_LOGS_EXPORTER: z.enum(['otlp', 'none']).default('otlp').meta({ example: 'none' }),
  /** For logs alone, taken as it is. */
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ example: 'http://127.0.0.1:4318/v1/logs' }),
}) {}

/** Where log lines are sent; undefined: nowhere. */
export function logsUrl(own: OtlpLogsConfig, shared: TracingConfig): string | undefined {
  if (shared.OTEL_SDK_DISABLED || own.OTEL_LOGS_EXPORTER === 'none') return undefined;
  const { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: url } = own;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base } = shared;
  return url ?? (base === undefined ? undefined : `${base.replace(/\/$/, '')}/v1/logs`);
}
