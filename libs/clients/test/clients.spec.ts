import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotAuthenticated, ServiceUnavailable } from '@gatehouse/contracts-platform';
import { Directory, Discovery, ViaTokens } from '@gatehouse/discovery';
import { TestPlatform } from '@gatehouse/discovery/testing';
import {
  Lifecycle,
  Metrics,
  newRequestContext,
  parseTraceparent,
  type Principal,
  requestContext,
} from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { createPrivateKey } from 'node:crypto';
import { type ClientOf, ClientsModule, clientToken, InjectClient } from '../src/index.ts';
import { EchoLost, echoV1 } from './echo.contract.ts';
import { EchoServer, type SeenCall } from './echo.server.ts';
import { recording } from './recorded-spans.ts';

const principal: Principal = {
  id: 'user-1',
  type: 'user',
  sessionId: 's-1',
  clientId: 'web',
  token: 'the.users.token',
  expiresAt: 0,
};

@Injectable()
class Caller {
  constructor(@InjectClient(echoV1) readonly echo: ClientOf<typeof echoV1>) {}
}

@Module({
  imports: [ClientsModule.forFeature([echoV1])],
  providers: [Caller],
})
class CallerModule {}

describe('ClientsModule', () => {
  let platform: TestPlatform;
  let directory: Directory;
  let discovery: Discovery;
  let lifecycle: Lifecycle;
  let server: EchoServer;
  let app: TestingModule;
  let echo: ClientOf<typeof echoV1>;

  beforeEach(async () => {
    platform = new TestPlatform();
    directory = new Directory(platform.trustAnchor);
    await directory.accept(await platform.directory(1, ['orders', 'echo']));
    discovery = new Discovery(directory);
    lifecycle = new Lifecycle();
    server = await new EchoServer('one').start();
    const via = viaOf('orders');

    @Global()
    @Module({
      providers: [
        Metrics,
        { provide: Lifecycle, useValue: lifecycle },
        { provide: Discovery, useValue: discovery },
        { provide: ViaTokens, useValue: via },
      ],
      exports: [Metrics, Lifecycle, Discovery, ViaTokens],
    })
    class PlatformModule {}

    app = await Test.createTestingModule({
      imports: [PlatformModule, CallerModule, ClientsModule.forFeature([echoV1])],
    }).compile();
    echo = app.get(Caller).echo;
    await list(server);
  });
  afterEach(async () => {
    await lifecycle.stop();
    discovery.close();
    server.kill();
    await app.close();
  });

  const viaOf = (service: string) =>
    new ViaTokens(
      service,
      createPrivateKey(platform.keyOf(service).privateKey),
      directory,
      platform.trustAnchor,
    );
  /** Puts servers in the registry, each entry signed by `signedBy`. */
  const list = async (listed: EchoServer, signedBy = 'echo') => {
    const instanceId = randomUUID();
    const entry = await platform.entry('echo', {
      instanceId,
      grpcAddress: listed.address,
      signedBy,
    });
    const row = { service: 'echo', instanceId, entry, remainingMs: 10_000 };
    await discovery.accept([row], performance.now());
  };
  const lastCall = (): SeenCall => server.calls.at(-1)!;
  const header = (name: string) => lastCall().metadata.get(name)[0] as string | undefined;

  it('gives every module the same client', () => {
    expect(app.get(clientToken(echoV1), { strict: false })).toBe(echo);
  });

  it('signs every call as this service, for the callee', async () => {
    await echo.read({});
    expect(await viaOf('echo').verify(header('gatehouse-via')!)).toEqual({ service: 'orders' });
    for await (const message of echo.watch({ count: 1 })) expect(message.number).toBe(1);
    expect(lastCall().method).toBe('watch');
    expect(await viaOf('echo').verify(header('gatehouse-via')!)).toEqual({ service: 'orders' });
  });

  it('carries the request’s id and trace on, as a span of its own', async () => {
    const context = newRequestContext({ requestId: 'r-1' });
    await requestContext.run(context, () => echo.read({}));
    expect(header('x-request-id')).toBe('r-1');
    const trace = parseTraceparent(header('traceparent'));
    expect(trace?.traceId).toBe(context.trace.traceId);
    expect(trace?.spanId).not.toBe(context.trace.spanId);
  });

  describe('records a stream as one span, which is over when the stream is', () => {
    const follow = async (request: object, options: object = {}, until = Infinity) => {
      for await (const message of echo.watch(request, options)) if (message.number >= until) break;
    };

    it('and what the server is told to be its parent', async () => {
      let numbers = 0;
      const { spans, done } = recording(async () => {
        for await (const { number } of echo.watch({ count: 20 })) {
          numbers = number;
          expect(spans.map(({ ended }) => ended)).toEqual([0, 0]);
        }
        // What follows is no part of it.
        await echo.read({});
      });
      await done;
      expect(numbers).toBe(20);
      const [work, stream, call] = spans;
      expect(stream).toMatchObject({
        name: 'gatehouse.echo.v1.EchoService/Watch',
        trace: { traceId: work?.trace.traceId, parentSpanId: work?.trace.spanId },
        attributes: {
          'rpc.system.name': 'grpc',
          'rpc.method': 'gatehouse.echo.v1.EchoService/Watch',
          'rpc.status_code': 'OK',
          'server.address': 'echo',
        },
        events: 0,
        failed: false,
        ended: 1,
      });
      expect(call?.trace.parentSpanId).toBe(work?.trace.spanId);
      const watched = server.calls.find(({ method }) => method === 'watch');
      expect(watched?.metadata.get('traceparent')).toEqual([
        `00-${String(work?.trace.traceId)}-${String(stream?.trace.spanId)}-01`,
      ]);
    });

    it.each([
      ['left', () => follow({}, {}, 2), { 'rpc.status_code': 'CANCELLED' }, false],
      [
        'given up',
        () => follow({}, { signal: AbortSignal.timeout(50) }),
        { 'rpc.status_code': 'CANCELLED' },
        false,
      ],
      [
        'out of time',
        () => follow({}, { deadlineMs: 50 }),
        { 'rpc.status_code': 'DEADLINE_EXCEEDED', 'gatehouse.code': 'DEADLINE_EXCEEDED' },
        true,
      ],
      [
        'broken',
        () => follow({ text: 'lost' }),
        { 'rpc.status_code': 'NOT_FOUND', 'error.type': 'NOT_FOUND' },
        true,
      ],
    ])('%s', async (how, work, attributes, failed) => {
      server.answer = (_method, { text }) => {
        if (text === 'lost') throw new EchoLost();
        return '';
      };
      const { spans, done } = recording(work);
      await done.catch(() => undefined);
      expect(spans.at(-1)).toMatchObject({ attributes, failed, events: 0, ended: 1 });
    });
  });

  it('begins a request and a trace where there is none', async () => {
    await echo.read({});
    expect(header('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(parseTraceparent(header('traceparent'))).toBeDefined();
  });

  it('passes a tracestate along', async () => {
    const { trace } = newRequestContext();
    const context = newRequestContext({ trace: { ...trace, state: 'vendor=1' } });
    await requestContext.run(context, () => echo.read({}));
    expect(header('tracestate')).toBe('vendor=1');
  });

  it('passes the user’s token along by default, and not where the service calls for itself', async () => {
    await requestContext.run(newRequestContext({ principal }), async () => {
      await echo.read({});
      expect(header('authorization')).toBe('Bearer the.users.token');
      await echo.read({}, { as: 'service' });
      expect(header('authorization')).toBeUndefined();
      await echo.read({}, { as: 'caller' });
      expect(header('authorization')).toBe('Bearer the.users.token');
    });
    await echo.read({});
    expect(header('authorization')).toBeUndefined();
  });

  it('refuses to call for a user where there is none', async () => {
    await expect(echo.read({}, { as: 'caller' })).rejects.toThrow(NotAuthenticated);
    await expect(
      requestContext.run(newRequestContext(), () => echo.read({}, { as: 'caller' })),
    ).rejects.toThrow(NotAuthenticated);
    expect(server.calls).toEqual([]);
  });

  it('calls no instance whose entry another service has signed', async () => {
    await list(server, 'orders');
    await sleep(20);
    await expect(echo.read({})).rejects.toThrow(ServiceUnavailable);
    expect(server.calls).toEqual([]);
  });

  it('calls nobody of a service that has left the directory, though the connection stands', async () => {
    await echo.read({});
    await directory.accept(await platform.directory(2, ['orders']));
    await sleep(20);
    await expect(echo.read({})).rejects.toThrow(ServiceUnavailable);
    expect(server.calls).toHaveLength(1);
  });

  it('reaches an instance within a moment of its registration', async () => {
    const later = await new EchoServer('later').start();
    await list(later);
    await eventually(async () => (await echo.read({})).server === 'later', { timeoutMs: 1_000 });
    later.kill();
  });

  it('counts calls by service, method and code', async () => {
    const calls = app
      .get(Metrics)
      .seriesHistogram('rpc_client_call_duration_seconds', '', [
        'upstream',
        'rpc_method',
        'rpc_response_status_code',
      ]);
    const series = calls.series('echo', 'write', 'OK');
    const before = series.count;
    await echo.write({});
    await echo.write({});
    expect(series.count).toBe(before + 2);
  });

  it('ends its connections when the process stops', async () => {
    await echo.read({});
    await lifecycle.stop();
    await expect(echo.read({})).rejects.toThrow();
  });
});
