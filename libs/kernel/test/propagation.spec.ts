import { Controller, Get, Module } from '@nestjs/common';

import {
  formatTraceparent,
  KernelModule,
  requestContext,
  type RunningService,
} from '../src/index.ts';
import './fixtures/log-lines.ts';
import { probeClient } from './fixtures/probe.client.ts';
import { ProbeModule } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';

const peer: { address: string } = { address: '' };

@Controller('v1/probe')
class CallerController {
  @Get('call')
  async call() {
    const { requestId, trace } = requestContext.require();
    const client = probeClient(peer.address);
    try {
      const headers = { 'x-request-id': requestId, traceparent: formatTraceparent(trace) };
      return { here: { requestId, trace }, there: await client.echo('hello', headers) };
    } finally {
      client.close();
    }
  }
}

@Module({ imports: [KernelModule.forService()], controllers: [CallerController] })
class CallerModule {}

let services: RunningService[];
let caller: RunningService;
beforeAll(async () => {
  const callee = await startProbe(ProbeModule);
  caller = await startProbe(CallerModule);
  services = [caller, callee];
  peer.address = callee.grpcAddress ?? '';
});
afterAll(() => Promise.all(services.map((service) => service.stop())));

it('one request has one id and one trace, from HTTP through gRPC', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const answer = await fetch(`${caller.httpUrl}/v1/probe/call`, {
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
  });
  const requestId = answer.headers.get('x-request-id');
  expect(await answer.json()).toMatchObject({
    here: { requestId, trace: { traceId } },
    there: { requestId, traceId },
  });
});

it('a service without contracts opens no gRPC listener', () => {
  expect(caller.grpcAddress).toBeUndefined();
});
