import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge } from '../../test/fixtures/edge.ts';
import { problemOf, route, startEdge } from '../../test/fixtures/edge.ts';
import { FakeService } from '../../test/fixtures/fake-service.ts';
import { readAnswer, requestText } from '../../test/fixtures/raw-client.ts';

const services: FakeService[] = [];
let edge: Edge;
const start = async (answers: (RequestListener | undefined)[], timeout_ms = 300) => {
  for (const answer of answers) services.push(await FakeService.start(answer));
  edge = await startEdge({
    routes: [
      route('GET', '/v1/things', { timeout_ms }),
      route('POST', '/v1/things', { timeout_ms }),
      route('GET', '/v1/things/socket', { timeout_ms, streaming: true }),
    ],
    instances: services.map(({ url }) => url),
  });
};
afterEach(async () => {
  await edge.stop();
  await Promise.all(services.splice(0).map((service) => service.stop()));
});
const json = { 'Content-Type': 'application/json' };
const reset: RequestListener = (request) => void request.socket.destroy();

describe('instances', () => {
  it('share the load', async () => {
    await start([undefined, undefined]);
    await Promise.all(Array.from({ length: 40 }, () => edge.call('GET', '/v1/things')));
    for (const { seen } of services) expect(seen.length).toBeGreaterThan(5);
  });

  it('that take no connection are out at once, and no call fails for it, whatever its method', async () => {
    await start([undefined, undefined]);
    await services[0]?.stop();
    const statuses: number[] = [];
    for (let n = 0; n < 20; n++) {
      statuses.push((await edge.call('POST', '/v1/things', json, '{"a":1}')).status);
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(services[1]?.seen.every(({ body }) => body === '{"a":1}')).toBe(true);
    const circuit = edge.version.instances[0]?.circuit;
    expect(circuit?.timesEjected).toBe(1);
    expect(circuit?.allows(performance.now())).toBe(false);
  });

  it('that come back are tried again', async () => {
    await start([undefined]);
    const port = Number(new URL(services[0]?.url ?? '').port);
    await services[0]?.stop();
    const refused = await edge.call('GET', '/v1/things');
    expect(problemOf(refused)).toMatchObject({ code: 'SERVICE_UNAVAILABLE', status: 503 });
    expect(refused.headers['retry-after']).toBe('1');
    await services[0]?.listen(port);
    expect((await edge.call('GET', '/v1/things')).status).toBe(200);
  });

  it('that reset are tried elsewhere for what may be repeated, and only for that', async () => {
    await start([reset, undefined]);
    const gets = await Promise.all(Array.from({ length: 8 }, () => edge.call('GET', '/v1/things')));
    expect(new Set(gets.map(({ status }) => status))).toEqual(new Set([200]));
    const posts: number[] = [];
    for (let n = 0; n < 10; n++) {
      posts.push((await edge.call('POST', '/v1/things', json, '{}')).status);
    }
    const arrived = services.flatMap(({ seen }) => seen.filter(({ method }) => method === 'POST'));
    expect(arrived).toHaveLength(10);
    expect(posts.filter((status) => status === 502)).toHaveLength(
      services[0]?.seen.filter(({ method }) => method === 'POST').length ?? -1,
    );
  });

  it('are not hammered when all of them fail: retries have a budget', async () => {
    await start([reset, reset]);
    const started = performance.now();
    for (let n = 0; n < 400; n++) await edge.call('GET', '/v1/things');
    const refilled = ((performance.now() - started) / 1_000) * 10;
    const sent = services.reduce((sum, { seen }) => sum + seen.length, 0);
    expect(sent).toBeLessThanOrEqual(400 * 1.2 + 100 + refilled + 1);
  });

  it('that do not answer in time are given up with 504, and ejected when it goes on', async () => {
    await start([() => undefined, undefined], 100);
    const statuses: number[] = [];
    for (let round = 0; round < 4; round++) {
      const batch = Array.from({ length: 8 }, () => edge.call('GET', '/v1/things'));
      statuses.push(...(await Promise.all(batch)).map(({ status }) => status));
    }
    expect(statuses).toContain(504);
    expect(new Set(statuses)).toEqual(new Set([200, 504]));
    expect(edge.version.instances[0]?.circuit.timesEjected).toBeGreaterThan(0);
    expect(edge.version.instances[0]?.inFlight).toBe(0);
  });

  it('that are none at all are a 503', async () => {
    await start([undefined]);
    edge.version.instances = [];
    const answer = await edge.call('GET', '/v1/things');
    expect(problemOf(answer)).toMatchObject({ code: 'SERVICE_UNAVAILABLE', status: 503 });
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('are not blamed for a client that goes away', async () => {
    await start([() => undefined], 5_000);
    for (let n = 0; n < 6; n++) {
      const socket = connect(edge.port, '127.0.0.1');
      socket.write(
        `POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"a`,
      );
      await sleep(30);
      socket.destroy();
    }
    await sleep(50);
    expect(edge.version.instances[0]?.circuit.failuresInARow).toBe(0);
    expect(edge.version.instances[0]?.inFlight).toBe(0);
    expect(edge.pipeline.inFlight).toBe(0);
  });
});

describe('a WebSocket', () => {
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    'X-User-Id': 'root',
  };
  const withEcho = async () => {
    await start([undefined]);
    services[0]?.server.on('upgrade', (request, socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          `X-Saw: ${String(request.headers['gatehouse-via'])} ${String(request.headers['sec-websocket-key'])} ${String(request.headers['x-user-id'])}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
  };

  it('passes after every stage, and then bytes go both ways', async () => {
    await withEcho();
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(requestText('GET', '/v1/things/socket', handshake));
    const answer = await readAnswer(socket);
    expect(answer.status).toBe(101);
    expect(answer.headers['x-saw']).toBe('via-of-the-gateway dGhlIHNhbXBsZSBub25jZQ== undefined');
    const echo = new Promise((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.write('hello');
    expect(await echo).toBe('hello');
    expect(edge.pipeline.inFlight).toBe(0);
    socket.destroy();
    await sleep(50);
    expect(edge.upgrader.size).toBe(0);
  });

  it.each([
    ['a path nobody serves', '/nothing', {}, 404],
    ['another protocol', '/v1/things/socket', { Upgrade: 'h2c' }, 400],
    ['a path that is not canonical', '/v1/things/%2e%2e', {}, 400],
  ])('is refused for %s', async (_name, path, headers, status) => {
    await withEcho();
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(requestText('GET', path, { ...handshake, ...headers }));
    const answer = await readAnswer(socket);
    expect(problemOf(answer).status).toBe(status);
    socket.destroy();
  });

  it('that the service refuses gets its answer', async () => {
    await start([(_request, response) => response.writeHead(426).end('no')]);
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(requestText('GET', '/v1/things/socket', handshake));
    expect(await readAnswer(socket)).toMatchObject({ status: 426, body: 'no' });
    socket.destroy();
  });

  it('is a 502 where nobody is there', async () => {
    await start([undefined]);
    await services[0]?.stop();
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(requestText('GET', '/v1/things/socket', handshake));
    expect((await readAnswer(socket)).status).toBe(502);
    socket.destroy();
  });
});
