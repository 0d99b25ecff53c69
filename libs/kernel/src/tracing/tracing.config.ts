import { z } from 'zod';

import { configOf } from '../config/config-of.ts';
import { envInteger, envNumber } from '../config/numbers.ts';

const endpoint = z
  .url({ protocol: /^https?$/ })
  .optional()
  .meta({ example: 'http://127.0.0.1:4318' });
/** `key=value,key=value`, values percent-encoded (W3C Baggage, as the OTLP specification has it). */
const pairs = z
  .string()
  .default('')
  .transform((text, context) => {
    const entries: [string, string][] = [];
    for (const pair of text.split(',')) {
      if (pair.trim() === '') continue;
      const at = pair.indexOf('=');
      const name = pair.slice(0, Math.max(0, at)).trim();
      const value = decoded(pair.slice(at + 1).trim());
      if (name === '' || value === undefined) {
        context.addIssue({ code: 'custom', message: 'is a list of name=value, percent-encoded' });
        return z.NEVER;
      }
      entries.push([name, value]);
    }
    return Object.fromEntries(entries);
  });
const boolean = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');

/**
 * How spans are recorded and where they go, by OpenTelemetry's own variables
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). Without an endpoint nothing is
 * recorded and the SDK is not even loaded.
 */
export class TracingConfig extends configOf({
  /** `true`: no spans and no logs to the Collector. */
  OTEL_SDK_DISABLED: boolean.meta({ example: 'true' }),
  /** `none`: no spans to the Collector, even where an endpoint is set. */
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none']).default('otlp').meta({ example: 'otlp' }),
  /** The Collector's OTLP/HTTP address; `/v1/traces` is added. */
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  /** For traces alone, taken as it is. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  /** The one that is spoken. */
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .literal('http/protobuf')
    .default('http/protobuf')
    .meta({ example: 'http/protobuf' }),
  /** `name=value,name=value`, percent-encoded. They may hold a secret: give it by a file. */
  OTEL_EXPORTER_OTLP_HEADERS: pairs.meta({ example: 'authorization=Bearer%20abc' }),
  /** Over OTEL_EXPORTER_OTLP_HEADERS, name by name. */
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: pairs.meta({ example: 'authorization=Bearer%20abc' }),
  /** Milliseconds one export may take, its retries included. */
  OTEL_EXPORTER_OTLP_TIMEOUT: envInteger(10_000, 1, 60_000),
  /** Of what is sent. */
  OTEL_EXPORTER_OTLP_COMPRESSION: z
    .enum(['gzip', 'none'])
    .default('none')
    .meta({ example: 'gzip' }),
  /** Instead of the name of the service. */
  OTEL_SERVICE_NAME: z.string().min(1).optional().meta({ example: 'orders' }),
  /** Said of the process with all it sends; `name=value,name=value`. */
  OTEL_RESOURCE_ATTRIBUTES: pairs.meta({ example: 'deployment.environment.name=production' }),
  /** How a trace that begins here is decided; one that a service of ours has begun is followed, whichever is named. */
  OTEL_TRACES_SAMPLER: z
    .enum([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ])
    .default('parentbased_always_on')
    .meta({ example: 'parentbased_traceidratio' }),
  /** The share of traces that is sampled, by the two ratio samplers. */
  OTEL_TRACES_SAMPLER_ARG: envNumber(1, 0, 1).meta({ example: '0.01' }),
  /** Spans that wait for their export; what comes on top is dropped and counted. */
  OTEL_BSP_MAX_QUEUE_SIZE: envInteger(4_096, 1, 1_000_000),
  /** Spans of one export. */
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: envInteger(512, 1, 100_000),
  /** Milliseconds. */
  OTEL_BSP_SCHEDULE_DELAY: envInteger(1_000, 1, 60_000),
}) {}

/** Where traces are sent; undefined: tracing is off. */
export function tracesUrl(config: TracingConfig): string | undefined {
  if (config.OTEL_SDK_DISABLED || config.OTEL_TRACES_EXPORTER === 'none') return undefined;
  const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own, OTEL_EXPORTER_OTLP_ENDPOINT: shared } = config;
  if (own !== undefined) return own;
  return shared === undefined ? undefined : `${shared.replace(/\/$/, '')}/v1/traces`;
}

/** The share of traces begun here that is sampled. */
export function headRatio(config: TracingConfig): number {
  const sampler = config.OTEL_TRACES_SAMPLER.replace('parentbased_', '');
  if (sampler === 'always_on') return 1;
  return sampler === 'always_off' ? 0 : config.OTEL_TRACES_SAMPLER_ARG;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
