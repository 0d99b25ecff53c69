import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { AdminRoute } from '../http/admin-route.ts';
import { Health, type HealthReport } from './health.ts';

/** `/health/live` and `/health/ready` on the admin listener: 200, or 503 with what fails. */
@AdminRoute()
@Controller('health')
export class HealthController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Get('live')
  async live(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport['body']> {
    return answer(await this.health.live(), reply);
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthReport['body']> {
    return answer(await this.health.ready(), reply);
  }
}

function answer(report: HealthReport, reply: FastifyReply): HealthReport['body'] {
  reply.status(report.status).header('cache-control', 'no-store');
  return report.body;
}
