import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '@gatehouse/testing';
import { Injectable, Module } from '@nestjs/common';
import { Agent, type IncomingMessage, request } from 'node:http';
import { status as Code, type ServiceError } from '@grpc/grpc-js';

import {
  ConfigError,
  configOf,
  Health,
  KernelModule,
  Lifecycle,
  Listeners,
  type RunningService,
  START_PHASES,
  StartFailed,
  STOP_PHASES,
} from '../src/index.ts';
import { z } from 'zod';
import './fixtures/log-lines.ts';
import { probeClient } from './fixtures/probe.client.ts';
import { ProbeModule } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';

const seen: string[] = [];
const failAt: { phase?: string } = {};

@Injectable()
class Recorder {
  constructor(lifecycle: Lifecycle, listeners: Listeners, health: Health) {
    const state = () =>
      `${listeners.http ? 'listening' : 'closed'}, ${health.serving ? 'ready' : 'unready'}`;
    for (const phase of START_PHASES) {
      lifecycle.onStart(phase, 'recorder', () => {
        seen.push(`start ${phase}: ${state()}`);
        if (failAt.phase === phase) throw new Error('it broke');
      });
    }
    for (const phase of STOP_PHASES) {
      lifecycle.onStop(phase, 'recorder', () => void seen.push(`stop ${phase}`));
    }
  }
}

@Module({ imports: [KernelModule.forService()], providers: [Recorder] })
class RecordedModule {}

beforeEach(() => {
  seen.length = 0;
  delete failAt.phase;
});

describe('start', () => {
  it('goes through its phases; it listens from the end of transports, and is ready at the very end', async () => {
    const service = await startProbe(RecordedModule);
    const started = [...seen];
    await service.stop();
    expect(started).toEqual([
      'start database: closed, unready',
      'start broker: closed, unready',
      'start registry: closed, unready',
      'start transports: closed, unready',
      'start register: listening, unready',
      'start ready: listening, unready',
    ]);
  });

  it.each([...START_PHASES])(
    'that fails in phase %s names it, and stops what had started',
    async (phase) => {
      failAt.phase = phase;
      const error = await startProbe(RecordedModule).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(StartFailed);
      expect((error as Error).message).toBe(`start phase ${phase}, recorder: it broke`);
      expect(seen.slice(-STOP_PHASES.length)).toEqual(STOP_PHASES.map((each) => `stop ${each}`));
    },
  );

  it('is refused by a wrong variable before anything opens, the kernel’s or the service’s', async () => {
    class OwnConfig extends configOf({ PROBE_SIZE: z.coerce.number().meta({ example: '7' }) }) {}
    @Module({ imports: [KernelModule.forService()], providers: [OwnConfig, Recorder] })
    class OwnModule {}
    const kernels = await startProbe(RecordedModule, { HTTP_PORT: 'eighty' }).catch(
      (e: unknown) => e,
    );
    expect(kernels).toBeInstanceOf(ConfigError);
    expect((kernels as Error).message).toContain('HTTP_PORT');
    const own = await startProbe(OwnModule).catch((thrown: unknown) => thrown);
    expect(own).toBeInstanceOf(ConfigError);
    expect((own as Error).message).toContain('for example PROBE_SIZE=7');
    expect(seen).toEqual([]);
  });

  it('names the address that is taken', async () => {
    const port = String(await freePort());
    const first = await startProbe(RecordedModule, { ADMIN_PORT: port });
    const error = await startProbe(RecordedModule, { ADMIN_PORT: port }).catch((e: unknown) => e);
    await first.stop();
    expect((error as Error).message).toContain(
      `ADMIN_HOST:ADMIN_PORT 127.0.0.1:${port}: the port is taken`,
    );
  });

  it('advertises what it is told to', async () => {
    const service = await startProbe(ProbeModule, { ADVERTISE_HOST: 'probe-1.internal' });
    const { http, grpc } = service.app.get(Listeners);
    await service.stop();
    expect(http?.url).toBe(`http://probe-1.internal:${http?.port ?? 0}`);
    expect(grpc?.url).toBe(`probe-1.internal:${grpc?.port ?? 0}`);
  });

  it('advertises its admin listener under that name only where others can reach it', async () => {
    const ADVERTISE_HOST = 'probe-1.internal';
    const closed = await startProbe(ProbeModule, { ADVERTISE_HOST });
    const open = await startProbe(ProbeModule, { ADVERTISE_HOST, ADMIN_HOST: '0.0.0.0' });
    const hosts = [closed, open].map(({ app }) => app.get(Listeners).admin?.host);
    await Promise.all([closed.stop(), open.stop()]);
    expect(hosts).toEqual(['127.0.0.1', ADVERTISE_HOST]);
  });
});

describe('stop', () => {
  it('goes through its phases, once', async () => {
    const service = await startProbe(RecordedModule);
    seen.length = 0;
    await Promise.all([service.stop(), service.stop()]);
    expect(seen).toEqual(STOP_PHASES.map((phase) => `stop ${phase}`));
  });

  it('says it is unready, and still answers, while routes drain', async () => {
    const service = await startProbe(ProbeModule, { SHUTDOWN_DRAIN_SECONDS: '0.5' });
    const stopped = service.stop();
    await sleep(50);
    const [ready, answer] = await Promise.all([
      fetch(`${service.adminUrl}/health/ready`),
      fetch(`${service.httpUrl}/v1/probe/context`),
    ]);
    expect([ready.status, answer.status, answer.headers.get('connection')]).toEqual([
      503,
      200,
      'close',
    ]);
    await stopped;
  });

  it('finishes the requests and calls in flight, and takes no more', async () => {
    const service = await startProbe(ProbeModule);
    const client = probeClient(service.grpcAddress ?? '');
    const agent = new Agent({ keepAlive: true });
    await get(service, '/v1/probe/context', agent);
    const inFlight = [get(service, '/v1/probe/slow/300', agent), client.echo('slow 300')] as const;
    await sleep(100);
    const stopped = service.stop();
    await sleep(50);
    await expect(fetch(`${service.httpUrl}/v1/probe/context`)).rejects.toThrow();

    expect(await inFlight[0]).toEqual({ status: 200, connection: 'close' });
    expect(await inFlight[1]).toMatchObject({ text: 'slow 300' });
    await stopped;
    agent.destroy();
    client.close();
  });

  it('ends subscriptions with UNAVAILABLE at once, so that their clients look elsewhere', async () => {
    const service = await startProbe(ProbeModule);
    const client = probeClient(service.grpcAddress ?? '');
    const stream = client.count(0);
    const error = new Promise<ServiceError>((resolve) => {
      stream.on('error', (thrown) => resolve(thrown as ServiceError));
    });
    await new Promise((resolve) => stream.once('data', resolve));
    const began = performance.now();
    await service.stop();
    expect((await error).code).toBe(Code.UNAVAILABLE);
    expect(performance.now() - began).toBeLessThan(2000);
    client.close();
  });

  it('cuts off what outlives the time there is', async () => {
    const service = await startProbe(ProbeModule, { SHUTDOWN_TIMEOUT_SECONDS: '0.3' });
    const client = probeClient(service.grpcAddress ?? '');
    const slow = [
      fetch(`${service.httpUrl}/v1/probe/slow/3000`).catch(() => 'cut'),
      client.echo('slow 3000').catch(() => 'cut'),
    ];
    await sleep(100);
    const began = performance.now();
    await service.stop();
    expect(performance.now() - began).toBeLessThan(2500);
    expect(await Promise.all(slow)).toEqual(['cut', 'cut']);
    client.close();
  });
});

function get(service: RunningService, path: string, agent: Agent) {
  return new Promise<{ status: number; connection: string | undefined }>((resolve, reject) => {
    request(`${service.httpUrl}${path}`, { agent }, (answer: IncomingMessage) => {
      answer.resume();
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection }),
      );
    })
      .on('error', reject)
      .end();
  });
}
