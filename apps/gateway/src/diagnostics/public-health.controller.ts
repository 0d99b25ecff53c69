import { Public } from '@gatehouse/guards';
import { Health } from '@gatehouse/kernel';
import { Controller, Get, Res, SetMetadata } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

/** `/health/live` and `/health/ready` for whoever balances the gateway. What fails is told on the admin listener alone. */
@Controller('health')
@SetMetadata('swagger/apiExcludeController', [true])
export class PublicHealthController {
  constructor(private readonly health: Health) {}

  @Get('live')
  @Public()
  async live(@Res({ passthrough: true }) reply: FastifyReply): Promise<{ status: string }> {
    return answer((await this.health.live()).status, reply);
  }

  @Get('ready')
  @Public()
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<{ status: string }> {
    return answer((await this.health.ready()).status, reply);
  }
}

function answer(status: 200 | 503, reply: FastifyReply): { status: string } {
  reply.status(status).header('cache-control', 'no-store');
  return { status: status === 200 ? 'ok' : 'unavailable' };
}
