import type { GrpcContract } from '@gatehouse/contracts-platform';
import { Discovery, ViaTokens } from '@gatehouse/discovery';
import { Lifecycle } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';
import { callHeaders } from './call.headers.ts';
import { ClientMetrics } from './client.metrics.ts';
import { createGrpcClient, type GrpcClient } from './grpc-client.ts';

/** The clients of one process: one a contract, however many modules ask for it. */
@Injectable()
export class GrpcClients {
  private readonly clients = new Map<GrpcContract, GrpcClient<GrpcContract>>();

  constructor(
    private readonly discovery: Discovery,
    private readonly via: ViaTokens,
    private readonly metrics: ClientMetrics,
    lifecycle: Lifecycle,
  ) {
    lifecycle.onStop('close', 'gRPC clients', () => this.close());
  }

  of<C extends GrpcContract>(contract: C): GrpcClient<C> {
    const existing = this.clients.get(contract);
    if (existing) return existing as GrpcClient<C>;
    const client = createGrpcClient(contract, {
      resolver: this.discovery,
      metadata: (options) => callHeaders(this.via, contract.service, options),
      observe: this.metrics.observerOf(contract.service),
    });
    this.clients.set(contract, client);
    return client;
  }

  private close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }
}
