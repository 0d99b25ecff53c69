import { Controller, Get, Module } from '@nestjs/common';
import './fixtures/log-lines.ts';
import { KernelModule, requestContext } from '../src/index.ts';
import { logText } from './fixtures/log-lines.ts';
import { startProbe } from './fixtures/probe.service.ts';

@Controller('v1/probe')
class C {
  @Get() get() {
    return { id: requestContext.require().requestId };
  }
  @Get('boom') boom() {
    throw new Error('x');
  }
}
@Module({ imports: [KernelModule.forService()], controllers: [C] })
class M {}

test('smoke', async () => {
  const s = await startProbe(M);
  for (const u of [
    `${s.httpUrl}/v1/probe`,
    `${s.httpUrl}/v1/probe/boom`,
    `${s.httpUrl}/nope`,
    `${s.httpUrl}/metrics`,
    `${s.adminUrl}/health/ready`,
    `${s.adminUrl}/metrics`,
    `${s.adminUrl}/v1/probe`,
  ]) {
    const r = await fetch(u);
    console.log(u, r.status, Object.fromEntries(r.headers), (await r.text()).slice(0, 300));
  }
  await s.stop();
  console.log(logText());
});
