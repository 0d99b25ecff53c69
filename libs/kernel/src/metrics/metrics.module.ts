import type { DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';

import { MetricsController } from './metrics.controller.ts';

/** @willsoto/nestjs-prometheus behind our controller. Node's own metrics come once a process, however many services are in it. */
export function metricsModule(): DynamicModule {
  return PrometheusModule.register({
    controller: MetricsController,
    defaultMetrics: {
      enabled: register.getSingleMetric('process_cpu_user_seconds_total') === undefined,
    },
  });
}
