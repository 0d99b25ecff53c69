import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge } from '../../test/fixtures/edge.ts';
import { problemOf, route, startEdge } from '../../test/fixtures/edge.ts';
import { FakeService } from '../../test/fixtures/fake-service.ts';
import { raw, readAnswer, requestText } from '../../test/fixtures/raw-client.ts';

let service: FakeService;
let edge: Edge;
const start = async (
  answer?: Parameters<typeof FakeService.start>[0],
  options: Partial<Parameters<typeof startEdge>[0]> = {},
) => {
  service = await FakeService.start(answer);
  edge = await startEdge({
    routes: [
      route('GET', '/v1/things'),
      route('GET', '/v1/things/{id}'),
      route('POST', '/v1/things'),
      route('PUT', '/v1/things/{id}'),
    ],
    instances: [service.url],
    ...options,
  });
};
afterEach(async () => {
  await edge.stop();
  await service.stop();
});

describe('what a service gets', () => {
  it('is the request with what only the gateway may say', async () => {
    await start();
    const answer = await edge.call('GET', '/v1/things/7?x=%2e', { Accept: 'text/plain' });
    expect(answer).toMatchObject({ status: 200, body: '{"ok":true}' });
    expect(service.last).toMatchObject({ method: 'GET', url: '/v1/things/7?x=%2e' });
    expect(service.last.headers).toMatchObject({
      accept: 'text/plain',
      'gatehouse-via': 'via-of-the-gateway',
      'x-request-id': answer.headers['x-request-id'],
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'api.example',
      host: new URL(service.url).host,
    });
    expect(service.last.headers.traceparent).toBe(answer.headers.traceparent);
  });

  it('holds none of the identities a client made up', async () => {
    await start();
    await edge.call('GET', '/v1/things', {
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'for=6.6.6.6',
      'Gatehouse-Via': 'forged',
      X_User_Id: 'root',
      'X.User.Id': 'root',
      'X-User-Id': 'root',
      'X-Request-Id': 'mine',
      'X-HTTP-Method-Override': 'DELETE',
    });
    const arrived = service.last.rawHeaders.join('\n');
    for (const lie of ['6.6.6.6', 'evil', 'forged', 'root', 'mine', 'DELETE']) {
      expect(arrived).not.toContain(lie);
    }
  });

  it('keeps what the gateway says, whatever Connection lists', async () => {
    await start();
    const listed = 'close, x-request-id, gatehouse-via, x-forwarded-for, traceparent, x-drop';
    await edge.call('GET', '/v1/things', { Connection: listed, 'X-Drop': '1', 'X-Keep': '1' });
    const { headers } = service.last;
    expect(headers).toMatchObject({ 'x-keep': '1', 'gatehouse-via': 'via-of-the-gateway' });
    for (const name of ['x-request-id', 'x-forwarded-for', 'traceparent']) {
      expect(headers[name]).toBeDefined();
    }
    expect(headers['x-drop']).toBeUndefined();
  });

  it('continues the trace of the caller with a span of its own, and samples it for nobody', async () => {
    await start();
    const trace = '0af7651916cd43dd8448eb211c80319c';
    await edge.call('GET', '/v1/things', { traceparent: `00-${trace}-b7ad6b7169203331-01` });
    expect(service.last.headers.traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`));
    expect(service.last.headers.traceparent).not.toContain('b7ad6b7169203331');
  });

  it('is a HEAD where the client asks for one, by the policy of GET', async () => {
    await start((_request, response) => {
      response.setHeader('content-length', 11);
      response.end();
    });
    const answer = await raw(edge.port, requestText('HEAD', '/v1/things', { Connection: 'close' }));
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(service.last.method).toBe('HEAD');
  });

  it('is a body of any framing, as it came', async () => {
    await start((request, response) => request.pipe(response));
    const json = { 'Content-Type': 'application/json; charset=utf-8' };
    expect((await edge.call('POST', '/v1/things', json, '{"a":1}')).body).toBe('{"a":1}');
    const chunked = await raw(
      edge.port,
      'POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
    );
    expect(chunked.status).toBe(200);
    expect(service.last.body).toBe('{"a":1}');
  });
});

describe('what a client gets', () => {
  it('is the answer without hop-by-hop headers and inner names', async () => {
    await start((_request, response) => {
      response.writeHead(201, {
        Connection: 'keep-alive, X-Hop',
        'X-Hop': '1',
        'Keep-Alive': 'timeout=9',
        'Gatehouse-Secret': '1',
        'X-Powered-By': 'x',
        'Access-Control-Allow-Origin': '*',
        'X-Request-Id': 'theirs',
        ETag: '"7"',
        'Set-Cookie': ['a=1', 'b=2'],
      });
      response.end('made');
    });
    const { status, headers, body } = await edge.call('GET', '/v1/things');
    expect({ status, body }).toEqual({ status: 201, body: 'made' });
    expect(headers).toMatchObject({ etag: '"7"', 'set-cookie': 'a=1, b=2' });
    for (const name of [
      'x-hop',
      'gatehouse-secret',
      'x-powered-by',
      'access-control-allow-origin',
    ]) {
      expect(headers[name]).toBeUndefined();
    }
    expect(headers['x-request-id']).not.toContain('theirs');
  });

  it('is every event of a stream as it is sent', async () => {
    let send: ((event: string) => void) | undefined;
    await start(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.flushHeaders();
        send = (event) => response.write(`data: ${event}\n\n`);
      },
      { bodyIdleTimeoutMs: 100, routes: [route('GET', '/v1/things', { timeout_ms: 200 })] },
    );
    const socket = connect(edge.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.write(requestText('GET', '/v1/things'));
    for (const event of ['one', 'two', 'three']) {
      await sleep(200);
      send?.(event);
      await sleep(50);
      expect(text).toContain(`data: ${event}`);
    }
    socket.destroy();
  });

  it('never has the service wait in memory: a slow client slows the service', async () => {
    let written = 0;
    await start((_request, response) => {
      const push = () => {
        while (written < 64 * 1024 * 1024) {
          written += 65_536;
          if (!response.write(Buffer.alloc(65_536))) {
            response.once('drain', push);
            return;
          }
        }
        response.end();
      };
      push();
    });
    const socket = connect(edge.port, '127.0.0.1');
    socket.pause();
    socket.write(requestText('GET', '/v1/things'));
    await sleep(500);
    expect(written).toBeLessThan(32 * 1024 * 1024);
    socket.destroy();
  });

  it('is broken off where the service breaks off, never made whole', async () => {
    await start((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      setTimeout(() => response.destroy(), 50);
    });
    const answer = await edge.call('GET', '/v1/things');
    expect(answer.body).toBe('half');
  });
});

describe('a connection', () => {
  it('serves request after request', async () => {
    await start();
    const socket = connect(edge.port, '127.0.0.1');
    for (const path of ['/v1/things/1', '/v1/things/2', '/nowhere', '/v1/things/3']) {
      socket.write(requestText('GET', path));
      expect((await readAnswer(socket)).status).toBe(path === '/nowhere' ? 404 : 200);
    }
    socket.destroy();
    expect(service.seen).toHaveLength(3);
  });

  it('is asked to be left while the gateway stops', async () => {
    await start();
    edge.forwarder.isClosing = true;
    expect((await edge.call('GET', '/v1/things')).headers.connection).toBe('close');
  });

  it('that the client drops ends the work for it', async () => {
    let isClosed = false;
    await start((_request, response) => {
      response.once('close', () => (isClosed = true));
    });
    const socket = connect(edge.port, '127.0.0.1');
    socket.write(requestText('GET', '/v1/things'));
    await sleep(100);
    socket.destroy();
    await sleep(100);
    expect(isClosed).toBe(true);
    expect(edge.pipeline.inFlight).toBe(0);
    expect(edge.version.instances[0]?.inFlight).toBe(0);
  });
});

describe('too much', () => {
  it('is a body above the limit, by its length or as it comes', async () => {
    await start();
    const json = { 'Content-Type': 'application/json' };
    expect(problemOf(await edge.call('POST', '/v1/things', json, 'x'.repeat(1025))).code).toBe(
      'PAYLOAD_TOO_LARGE',
    );
    expect(service.seen).toHaveLength(0);
    const chunked = await raw(
      edge.port,
      'POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        `Transfer-Encoding: chunked\r\n\r\n${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(2)}`,
    );
    expect(problemOf(chunked).code).toBe('PAYLOAD_TOO_LARGE');
    expect(edge.version.instances[0]?.circuit.failuresInARow).toBe(0);
  });

  it('is more in hand than the bound: it is refused at once, and served when there is room', async () => {
    const waiting: (() => void)[] = [];
    await start((_request, response) => waiting.push(() => response.end()), {
      parts: { maxInFlight: 2 },
    });
    const held = [edge.call('GET', '/v1/things/1'), edge.call('GET', '/v1/things/2')];
    await sleep(100);
    const shed = await edge.call('GET', '/v1/things/3');
    expect(problemOf(shed)).toMatchObject({ code: 'SERVICE_UNAVAILABLE', status: 503 });
    expect(shed.headers['retry-after']).toBe('1');
    for (const answer of waiting) answer();
    await Promise.all(held);
    const after = edge.call('GET', '/v1/things/4');
    await sleep(50);
    waiting.at(-1)?.();
    expect((await after).status).toBe(200);
  });
});
