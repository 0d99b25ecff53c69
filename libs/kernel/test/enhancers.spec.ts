import { PermissionDenied } from '@gatehouse/contracts-platform';
import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';

import { fromGrpcError, KernelModule, requestContext, type RunningService } from '../src/index.ts';
import './fixtures/log-lines.ts';
import { probeClient } from './fixtures/probe.client.ts';
import { probeErrors, probeV1 } from './fixtures/probe.contract.ts';
import { ProbeController, ProbeRpc } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';

/** Lets in who is named in the context; what a guard library does. */
@Injectable()
class Doorman implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const context = requestContext.require();
    if (context.requestId !== 'let-me-in')
      throw new PermissionDenied(`not by ${execution.getType()}`);
    context.caller = 'friend';
    return true;
  }
}

@Module({
  imports: [KernelModule.forService({ grpc: [probeV1] })],
  controllers: [ProbeController, ProbeRpc],
  providers: [{ provide: APP_GUARD, useClass: Doorman }],
})
class GuardedModule {}

let service: RunningService;
beforeAll(async () => {
  service = await startProbe(GuardedModule);
});
afterAll(() => service.stop());

describe('a guard of the whole service', () => {
  it('stands before HTTP routes, within the request’s context', async () => {
    const answer = await fetch(`${service.httpUrl}/v1/probe/context`);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ code: 'PERMISSION_DENIED', detail: 'not by http' });
  });

  it('stands before gRPC methods, streams too, within the call’s context', async () => {
    const client = probeClient(service.grpcAddress ?? '');
    const refusal = await client.echo('hello').catch((error: unknown) => error);
    expect(fromGrpcError(refusal, probeErrors)).toBeInstanceOf(PermissionDenied);

    const stream = client.count(3, 5000) as AsyncIterable<unknown>;
    const read = async () => {
      for await (const _message of stream);
    };
    const refused = await read().catch((error: unknown) => error);
    expect(fromGrpcError(refused, probeErrors)).toMatchObject({ detail: 'not by rpc' });

    const answer = await client.echo('hello', { 'x-request-id': 'let-me-in' });
    expect(answer.text).toBe('hello');
    client.close();
  });
});
