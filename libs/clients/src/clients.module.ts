import type { GrpcContract } from '@gatehouse/contracts-platform';
import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { ClientMetrics } from './client.metrics.ts';
import { GrpcClients } from './grpc-clients.ts';

/** What all `forFeature` imports of a process share. */
@Module({ providers: [ClientMetrics, GrpcClients], exports: [GrpcClients] })
class ClientsCoreModule {}

/**
 * gRPC clients of other services, found through `DiscoveryModule`, which the service's module imports:
 *
 * ```ts
 * @Module({ imports: [ClientsModule.forFeature([identityV1])] })
 * constructor(@InjectClient(identityV1) private readonly identity: ClientOf<typeof identityV1>) {}
 * const { user } = await this.identity.getUser({ userId });
 * ```
 */
@Module({})
export class ClientsModule {
  static forFeature(contracts: GrpcContract[]): DynamicModule {
    return {
      module: ClientsModule,
      imports: [ClientsCoreModule],
      providers: contracts.map((contract) => ({
        provide: clientToken(contract),
        useFactory: (clients: GrpcClients) => clients.of(contract),
        inject: [GrpcClients],
      })),
      exports: contracts.map(clientToken),
    };
  }
}

/** Injects the client of `contract`; type it `ClientOf<typeof contract>`. */
export function InjectClient(contract: GrpcContract): ParameterDecorator & PropertyDecorator {
  return Inject(clientToken(contract));
}

/** The token `@InjectClient` uses: for tests that put another client in its place. */
export function clientToken(contract: GrpcContract): string {
  return `gatehouse.client:${contract.package}.${contract.serviceName}`;
}
