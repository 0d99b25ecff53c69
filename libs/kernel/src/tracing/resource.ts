import type { Attributes } from '@opentelemetry/api';

import type { ServiceInfo } from '../service/service-info.ts';
import type { TracingConfig } from './tracing.config.ts';

/**
 * Who speaks, in everything this process sends by OTLP. What OTEL_RESOURCE_ATTRIBUTES says is added and wins, and
 * OTEL_SERVICE_NAME wins over both, as the specification has it; the instance is always this process.
 */
export function resourceAttributes(config: TracingConfig, service: ServiceInfo): Attributes {
  return {
    'service.name': service.name,
    'service.namespace': 'gatehouse',
    'service.version': service.version,
    ...config.OTEL_RESOURCE_ATTRIBUTES,
    ...(config.OTEL_SERVICE_NAME !== undefined && { 'service.name': config.OTEL_SERVICE_NAME }),
    'service.instance.id': service.instanceId,
  };
}
