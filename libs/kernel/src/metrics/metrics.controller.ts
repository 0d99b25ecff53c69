import { Controller, Get, Res } from '@nestjs/common';
import { PrometheusController } from '@willsoto/nestjs-prometheus';

import { AdminRoute } from '../http/admin-route.ts';

/** `GET /metrics` in the Prometheus text format, on the admin listener alone. */
@AdminRoute()
@Controller()
export class MetricsController extends PrometheusController {
  @Get()
  override index(@Res({ passthrough: true }) reply: unknown): Promise<string> {
    return super.index(reply);
  }
}
