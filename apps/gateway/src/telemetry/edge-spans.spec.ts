import type { SpanOptions, SpanRecorder } from '@gatehouse/kernel';
import { type TraceContext, Tracing } from '@gatehouse/kernel';
import { eventually } from '@gatehouse/testing';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Edge } from '../../test/fixtures/edge.ts';
import { route, startEdge } from '../../test/fixtures/edge.ts';
import { FakeService } from '../../test/fixtures/fake-service.ts';
import { readAnswer, requestText } from '../../test/fixtures/raw-client.ts';
import { AccessLog } from './access-log.ts';
import { EdgeSpans } from './edge-spans.ts';
import { Refusals } from './refusals.ts';
import { RequestMetrics } from './request-metrics.ts';
import { requestObserver } from './request-observer.ts';

/** What was recorded, in the order of the beginnings. */
class Recorded {
  readonly attributes: Record<string, unknown> = {};
  readonly events: string[] = [];
  ended = 0;

  constructor(
    readonly trace: TraceContext,
    public name: string,
    options: SpanOptions,
  ) {
    Object.assign(this.attributes, options.attributes);
  }

  setAttributes(attributes: object): void {
    Object.assign(this.attributes, attributes);
  }

  setAttribute(name: string, value: unknown): void {
    this.attributes[name] = value;
  }

  addEvent(name: string): void {
    this.events.push(name);
  }

  updateName(name: string): void {
    this.name = name;
  }

  setStatus(): void {
    this.attributes.failed = true;
  }

  end(): void {
    this.ended += 1;
  }
}

const recorded: Recorded[] = [];
const recorder: SpanRecorder = {
  start: (trace, name, options) => {
    const span = new Recorded(trace, name, options);
    recorded.push(span);
    return span as never;
  },
};

let service: FakeService;
let edge: Edge;
let limited: number;
const lines: { code?: string; reason?: string; status: number }[] = [];
const logger = { log: (entry: object) => lines.push(entry as never), warn: () => undefined };
const start = async (
  ratio: number,
  answer?: Parameters<typeof FakeService.start>[0],
  options: { slowMs?: number; unsampledPerSecond?: number; dead?: string[] } = {},
) => {
  recorded.length = 0;
  lines.length = 0;
  limited = 0;
  const log = new AccessLog(logger, {
    sample: 0,
    slowMs: options.slowMs ?? 60_000,
    othersPerSecond: options.unsampledPerSecond ?? 100,
  });
  const spans = new EdgeSpans(Tracing.of(recorder, ratio), {
    slowMs: options.slowMs ?? 60_000,
    unsampledPerSecond: options.unsampledPerSecond ?? 100,
    onLimited: () => limited++,
  });
  service = await FakeService.start(answer);
  edge = await startEdge({
    routes: [
      route('GET', '/v1/things/{id}'),
      route('GET', '/v1/things', { access: { kind: 'authenticated' } }),
    ],
    instances: [...(options.dead ?? []), service.url],
    parts: {
      spans,
      onDone: requestObserver(new RequestMetrics(), new Refusals(), log, spans),
    },
  });
};
afterEach(async () => {
  await edge.stop();
  await service.stop();
});
const status = (code: number) => (_request: unknown, response: ServerResponse) => {
  response.statusCode = code;
  response.setHeader('content-length', 0);
  response.end();
};
const spansOnce = (count: number) =>
  eventually(
    () => recorded.length >= count && recorded.every(({ ended }) => ended === 1) && recorded,
  );

describe('the spans of a request', () => {
  it('are its own and one of its attempt, which is the parent that the service is told', async () => {
    await start(1);
    await edge.call('GET', '/v1/things/7?secret=1', { 'User-Agent': 'x' });
    const [own, attempt] = (await spansOnce(2)) as [Recorded, Recorded];
    expect(own.name).toBe('GET /v1/things/{id}');
    expect(own.attributes).toMatchObject({
      'url.path': '/v1/things/7',
      'http.route': '/v1/things/{id}',
    });
    expect(attempt.trace).toMatchObject({
      traceId: own.trace.traceId,
      parentSpanId: own.trace.spanId,
    });
    expect(attempt.attributes['url.full']).toBe(`${service.url}/v1/things/7`);
    const { traceId } = own.trace;
    expect(service.last.headers.traceparent).toBe(`00-${traceId}-${attempt.trace.spanId}-01`);
    expect(JSON.stringify([own.attributes, attempt.attributes])).not.toContain('secret');
  });

  it('are one an attempt, where one fails and another instance is asked', async () => {
    await start(1, undefined, { dead: ['http://127.0.0.1:1'] });
    // Of two instances either may be asked first.
    await eventually(async () => {
      recorded.length = 0;
      expect((await edge.call('GET', '/v1/things/7')).status).toBe(200);
      return recorded.length === 3;
    });
    const [, failed, answered] = (await spansOnce(3)) as [Recorded, Recorded, Recorded];
    expect(failed.attributes).toMatchObject({ 'error.type': 'connect', failed: true });
    expect(answered.attributes).toMatchObject({
      'http.response.status_code': 200,
      'http.request.resend_count': 1,
    });
  });
});

describe('an unsampled request', () => {
  it('has none where all is well', async () => {
    await start(0);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await edge.call('GET', '/v1/things/7', { traceparent });
    expect(service.last.headers.traceparent).toMatch(/-00$/);
    await edge.call('GET', '/v1/things/nowhere/else');
    // Refused after it, and so the first to be seen.
    expect((await spansOnce(1)).map(({ name }) => name)).toEqual(['GET']);
  });

  it.each([
    ['fails', 'failed', 503, {}],
    ['is refused', 'refused', 403, {}],
    ['is slow', 'slow', 200, { slowMs: 0 }],
  ])('has one where it %s', async (_name, why, code, options) => {
    await start(0, status(code), options);
    await edge.call('GET', '/v1/things/7');
    const [own] = await spansOnce(1);
    expect(recorded).toHaveLength(1);
    expect(own).toMatchObject({
      name: 'GET /v1/things/{id}',
      attributes: { 'gatehouse.kept': why, 'http.response.status_code': code },
    });
  });

  it('says what was decided against it, and nothing of a path that nobody serves', async () => {
    await start(0);
    await edge.call('GET', '/v1/things', { Authorization: 'Bearer canary' });
    await edge.call('GET', '/v1/canary');
    const [refused, unknown] = (await spansOnce(2)) as [Recorded, Recorded];
    expect(refused.events).toEqual(['gatehouse.authentication']);
    expect(unknown).toMatchObject({
      name: 'GET',
      attributes: { 'gatehouse.code': 'ROUTE_NOT_FOUND' },
    });
    expect(JSON.stringify(recorded)).not.toContain('canary');
  });

  it('has its line where it was refused or slow, whatever the sample, with the reason', async () => {
    await start(0);
    await edge.call('GET', '/v1/things', { Authorization: 'Bearer canary' });
    await edge.call('GET', '/v1/things/7');
    await edge.call('GET', '/v1/canary');
    await eventually(() => lines.length === 2);
    const [refused, unknown] = lines;
    expect(refused).toMatchObject({
      status: 401,
      code: 'UNAUTHENTICATED',
      reason: 'UNAUTHENTICATED',
    });
    expect(unknown).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND', reason: undefined });
    await edge.stop();
    await service.stop();
    await start(0, undefined, { slowMs: 0 });
    await edge.call('GET', '/v1/things/7');
    expect(await eventually(() => lines[0])).toMatchObject({ status: 200 });
  });

  it('has one of so many a second', async () => {
    await start(0, undefined, { unsampledPerSecond: 2 });
    // Within one second of the clock that counts them, on whatever machine.
    await eventually(async () => {
      const before = {
        second: Math.floor(performance.now() / 1_000),
        made: recorded.length,
        limited,
      };
      await Promise.all(Array.from({ length: 5 }, () => edge.call('GET', '/v1/nothing')));
      if (Math.floor(performance.now() / 1_000) !== before.second) return false;
      expect(lines.length).toBe(recorded.length);
      return recorded.length - before.made <= 2 && limited - before.limited >= 3;
    });
  });
});

describe('the spans of what lasts', () => {
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
  };
  const open = (headers: Record<string, string>) => {
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(requestText('GET', '/v1/things/7', headers));
    return socket;
  };

  it('a WebSocket: as long as the connection, with the status of the handshake, and the attempt the parent', async () => {
    await start(1);
    let told: unknown;
    service.server.on('upgrade', (request, socket) => {
      told = request.headers.traceparent;
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      socket.pipe(socket);
    });
    const socket = open(handshake);
    expect((await readAnswer(socket)).status).toBe(101);
    for (const text of ['one', 'two']) {
      const echo = new Promise((resolve) => socket.once('data', resolve));
      socket.write(text);
      await echo;
    }
    const [own, attempt] = recorded as [Recorded, Recorded];
    expect([own.ended, attempt.ended]).toEqual([0, 0]);
    expect(told).toBe(`00-${own.trace.traceId}-${attempt.trace.spanId}-01`);
    expect(attempt.trace.parentSpanId).toBe(own.trace.spanId);
    socket.destroy();
    await spansOnce(2);
    // Of messages there is no event.
    expect(recorded.map(({ name, events }) => [name, events])).toEqual([
      ['GET /v1/things/{id}', ['gatehouse.rate_limit']],
      ['GET', []],
    ]);
    for (const { attributes } of recorded) {
      expect(attributes['http.response.status_code']).toBe(101);
      expect(attributes).not.toHaveProperty('failed');
      expect(attributes).not.toHaveProperty(['error.type']);
    }
  });

  it.each([
    ['that the service refuses', 426, { 'http.response.status_code': 426, 'error.type': '426' }],
    ['that meets nobody', 502, { 'error.type': 'connect' }],
  ])('a WebSocket %s: over with the answer', async (_name, code, expected) => {
    await start(1, status(code));
    if (code === 502) await service.stop();
    const socket = open(handshake);
    expect((await readAnswer(socket)).status).toBe(code);
    const [own, attempt] = (await spansOnce(2)) as [Recorded, Recorded];
    expect(own.attributes['http.response.status_code']).toBe(code);
    expect(attempt.attributes).toMatchObject({ ...expected, failed: true });
    socket.destroy();
    if (code === 502) await service.listen(0);
  });

  const events = (_request: unknown, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: one\n\n');
    stream = response;
  };
  let stream: ServerResponse;

  it.each([
    ['ended by the service', () => stream.end(), {}],
    [
      'left by the client, which is how they end',
      (socket: { destroy(): void }) => socket.destroy(),
      {},
    ],
    [
      'broken off by the service',
      () => stream.destroy(),
      {
        failed: true,
        'error.type': 'UPSTREAM_UNAVAILABLE',
        'gatehouse.code': 'UPSTREAM_UNAVAILABLE',
      },
    ],
  ])('server-sent events %s: as long as the stream', async (_name, end, expected) => {
    await start(1, events, { slowMs: 0 });
    const socket = open({});
    await new Promise((resolve) => socket.once('data', resolve));
    expect(recorded.map(({ ended }) => ended)).toEqual([0, 0]);
    end(socket);
    const [own, attempt] = (await spansOnce(2)) as [Recorded, Recorded];
    expect(own.attributes).toMatchObject({ 'http.response.status_code': 200, ...expected });
    expect(own.attributes.failed === true).toBe('failed' in expected);
    expect(attempt.attributes.failed === true).toBe('failed' in expected);
    socket.destroy();
  });
});
