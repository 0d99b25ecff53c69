import { setTimeout as sleep } from 'node:timers/promises';

import { ERROR_KINDS, ServiceUnavailable } from '@gatehouse/contracts-platform';
import { eventually } from '@gatehouse/testing';
import {
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
  status as Code,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import { fromGrpcError, grpcCodeOf, Health, type RunningService } from '../src/index.ts';
import { forgetLogs, logLines } from './fixtures/log-lines.ts';
import { probeClient } from './fixtures/probe.client.ts';
import { ProbeMissing, probeErrors } from './fixtures/probe.contract.ts';
import { counting, ProbeModule } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
let service: RunningService;
let client: ReturnType<typeof probeClient>;
beforeAll(async () => {
  service = await startProbe(ProbeModule);
  client = probeClient(service.grpcAddress ?? '');
});
afterAll(async () => {
  client.close();
  await service.stop();
});

const failure = (text: string, deadlineMs?: number) =>
  client.echo(text, {}, deadlineMs).then(
    () => Promise.reject(new Error('it was answered')),
    (error: unknown) => error as ServiceError,
  );

describe('the context of a call', () => {
  it('is what the caller sent along', async () => {
    const answer = await client.echo('hello', {
      'x-request-id': 'r-1',
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
    });
    expect(answer).toEqual({ text: 'hello', requestId: 'r-1', traceId: TRACE });
  });

  it('begins here where the caller sent none, one for each call', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.echo('slow 5')));
    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(20);
  });
});

describe('errors', () => {
  it.each(ERROR_KINDS)('%s has its code, and comes back with its kind', async (kind) => {
    const error = await failure(`fail ${kind}`);
    expect(error.code).toBe(grpcCodeOf(kind));
    expect(fromGrpcError(error, probeErrors)).toMatchObject({
      kind,
      code: `PROBE_${kind.toUpperCase().replaceAll('-', '_')}`,
    });
  });

  it('come back as the class that was thrown', async () => {
    const error = fromGrpcError(await failure('fail missing'), probeErrors);
    expect(error).toBeInstanceOf(ProbeMissing);
    expect(error).toMatchObject({ detail: 'no such probe', metadata: { id: '7' } });
  });

  it('tell nothing of a bug, which is logged', async () => {
    forgetLogs();
    const error = await failure('fail bug');
    expect(error.code).toBe(Code.INTERNAL);
    expect(error.message).not.toContain('hunter2');
    expect(logLines()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        err: expect.objectContaining({
          type: 'TypeError',
          message: 'the secret is hunter2',
        }) as object,
      }),
    );
  });

  it('stop a call that outlives its deadline', async () => {
    const error = await failure('slow 2000', 50);
    expect(error.code).toBe(Code.DEADLINE_EXCEEDED);
  });
});

describe('a server stream', () => {
  it('gives its messages in order and ends', async () => {
    const numbers: number[] = [];
    for await (const { number } of client.count(12) as AsyncIterable<{ number: number }>) {
      numbers.push(number);
    }
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('ends with the error its source throws', async () => {
    const stream = client.count(20, 5000) as AsyncIterable<unknown>;
    const read = async () => {
      for await (const _message of stream);
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(fromGrpcError(error, probeErrors)).toBeInstanceOf(ServiceUnavailable);
  });

  it('ends its source when the caller goes away', async () => {
    const stream = client.count(0, 5000);
    stream.on('error', () => undefined);
    stream.resume();
    await eventually(() => counting.open === 1, { timeoutMs: 2000, intervalMs: 10 });
    stream.cancel();
    await eventually(() => counting.open === 0, { timeoutMs: 2000, intervalMs: 10 });
  });
});

describe('grpc.health.v1', () => {
  const check = (name: string) =>
    new Promise<{ error: ServiceError | null; status?: number }>((resolve) => {
      const HealthClient = healthClient();
      const stub = new HealthClient(service.grpcAddress ?? '', credentials.createInsecure());
      (stub as unknown as Record<string, (...args: unknown[]) => void>).check?.(
        { service: name },
        (error: ServiceError | null, answer?: { status: number }) => {
          stub.close();
          resolve({ error, ...(answer && { status: answer.status }) });
        },
      );
    });

  it('says SERVING for the process and for each service, without a credential', async () => {
    expect(await check('')).toEqual({ error: null, status: 1 });
    expect(await check('gatehouse.probe.v1.ProbeService')).toEqual({ error: null, status: 1 });
  });

  it('knows no other name', async () => {
    expect((await check('gatehouse.other')).error?.code).toBe(Code.NOT_FOUND);
  });

  it('says NOT_SERVING while a readiness check fails', async () => {
    const state = { broken: true };
    service.app.get(Health).addReadiness('database', () => {
      if (state.broken) throw new Error('no database');
    });
    expect((await check('')).status).toBe(2);
    const ready = await fetch(`${service.adminUrl}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ error: { database: { message: 'no database' } } });
    expect((await fetch(`${service.adminUrl}/health/live`)).status).toBe(200);
    state.broken = false;
    expect((await check('')).status).toBe(1);
  });
});

it('counts calls by service, method and code', async () => {
  await failure('fail missing');
  await sleep(10);
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(
    /rpc_server_call_duration_seconds_count\{rpc_method="gatehouse.probe.v1.ProbeService\/Echo",rpc_response_status_code="NOT_FOUND"\} \d+/,
  );
});

function healthClient(): ServiceClientConstructor {
  const root = loadPackageDefinition(
    loadSync(new URL('../proto/grpc/health/v1/health.proto', import.meta.url).pathname, {
      enums: Number,
    }),
  ) as unknown as { grpc: { health: { v1: { Health: ServiceClientConstructor } } } };
  return root.grpc.health.v1.Health;
}
