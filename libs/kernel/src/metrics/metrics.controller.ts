import { Controller, Get, Headers, Res } from '@nestjs/common';
import { PrometheusController } from '@willsoto/nestjs-prometheus';
import type { FastifyReply } from 'fastify';
import { register } from 'prom-client';

import { AdminRoute } from '../http/admin-route.ts';
import { Exposition } from './exposition.ts';
import { Metrics } from './metrics.ts';
import { negotiateFormat } from './negotiate.ts';

/** `GET /metrics` on the admin listener alone: the Prometheus text format, or OpenMetrics (with exemplars) for who accepts it. */
@AdminRoute()
@Controller()
export class MetricsController extends PrometheusController {
  private readonly exposition = new Exposition(
    register,
    new Metrics().counter(
      'metrics_collect_failures_total',
      'Metrics left out of a scrape because they could not be read, or not in time',
    ),
  );

  @Get()
  override async index(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('accept') accept?: string,
  ): Promise<string> {
    const { contentType, body } = await this.exposition.scrape(negotiateFormat(accept));
    void reply.header('content-type', contentType).header('vary', 'Accept');
    return body;
  }
}
