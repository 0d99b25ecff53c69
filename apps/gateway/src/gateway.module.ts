import { DiscoveryModule } from '@gatehouse/discovery';
import { GuardsModule } from '@gatehouse/guards';
import { KernelModule } from '@gatehouse/kernel';
import { Module } from '@nestjs/common';
import { DiagnosticsController } from './diagnostics/diagnostics.controller.ts';
import { PublicHealthController } from './diagnostics/public-health.controller.ts';
import { DocsController } from './documents/docs.controller.ts';
import { ProblemsController } from './documents/problems.controller.ts';
import { EdgeModule } from './edge.module.ts';
import { GatewayFront } from './front/gateway.front.ts';

/** The map of the gateway: the edge in front, and the few pages that Nest serves behind it. */
@Module({
  imports: [
    KernelModule.forService({ front: GatewayFront }),
    DiscoveryModule.forService(),
    GuardsModule.forService({ audit: 'buffered' }),
    EdgeModule,
  ],
  controllers: [DiagnosticsController, PublicHealthController, DocsController, ProblemsController],
})
export class GatewayModule {}
