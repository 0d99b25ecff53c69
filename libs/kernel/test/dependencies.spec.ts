import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, freePort } from '@gatehouse/testing';
import { Injectable, Module } from '@nestjs/common';

import {
  awaitEngine,
  EngineUnusable,
  Health,
  type HealthReport,
  KernelModule,
  Lifecycle,
  StartFailed,
} from '../src/index.ts';
import './fixtures/log-lines.ts';
import { startProbe } from './fixtures/probe.service.ts';

/** An engine as an adapter sees it: it answers, or it does not. */
const engine = { answers: false };
let lifecycleOfService: Lifecycle;

@Injectable()
class Adapter {
  constructor(lifecycle: Lifecycle, health: Health) {
    lifecycleOfService = lifecycle;
    const connect = () =>
      engine.answers ? Promise.resolve() : Promise.reject(new Error('ECONNREFUSED'));
    lifecycle.onStart('broker', 'join Kafka', () =>
      awaitEngine(connect, {
        engine: 'Kafka',
        variable: 'KAFKA_BROKERS',
        address: '127.0.0.1:9092',
        withinMs: 30_000,
        refusal: () => undefined,
      }),
    );
    health.addDependency('kafka', connect);
  }
}

@Module({ imports: [KernelModule.forService()], providers: [Adapter] })
class ServiceWithEngine {}

const readiness = async (adminUrl: string) => {
  const answer = await fetch(`${adminUrl}/health/ready`);
  return { status: answer.status, body: (await answer.json()) as HealthReport['body'] };
};

describe('a service with an engine', () => {
  beforeEach(() => (engine.answers = false));

  const startOn = async () => {
    const port = await freePort();
    const starting = startProbe(ServiceWithEngine, { ADMIN_PORT: String(port) });
    starting.catch(() => undefined);
    return { starting, adminUrl: `http://127.0.0.1:${port}` };
  };

  it('says while it starts which engine it waits for, and is ready once that answers', async () => {
    const { starting, adminUrl } = await startOn();
    const meanwhile = await eventually(async () => {
      const answer = await readiness(adminUrl);
      return String(answer.body.error?.lifecycle?.message).includes('waiting') && answer;
    });
    expect(meanwhile).toMatchObject({
      status: 503,
      body: {
        error: {
          lifecycle: {
            message:
              'starting: broker, join Kafka: waiting for Kafka at 127.0.0.1:9092 (KAFKA_BROKERS): ECONNREFUSED',
          },
        },
        dependencies: { kafka: { status: 'down', message: 'ECONNREFUSED' } },
      },
    });
    engine.answers = true;
    const service = await starting;
    expect(await readiness(service.adminUrl)).toMatchObject({
      status: 200,
      body: { status: 'ok', dependencies: { kafka: { status: 'up' } } },
    });
    await service.stop();
  });

  it('stays ready when it is lost, and shows that it is', async () => {
    engine.answers = true;
    const service = await startProbe(ServiceWithEngine);
    engine.answers = false;
    const lost = await readiness(service.adminUrl);
    await service.stop();
    expect(lost.status).toBe(200);
    expect(lost.body.dependencies).toEqual({ kafka: { status: 'down', message: 'ECONNREFUSED' } });
  });

  it('waits no longer once it is asked to stop', async () => {
    const { starting, adminUrl } = await startOn();
    await eventually(() => readiness(adminUrl));
    const stopped = lifecycleOfService.stop().then(() => 'stopped');
    const outcome = await Promise.race([stopped, sleep(10_000, 'still waiting', { ref: false })]);
    expect(outcome).toBe('stopped');
    const error = await starting.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StartFailed);
    expect((error as Error).cause).not.toBeInstanceOf(EngineUnusable);
  });
});
