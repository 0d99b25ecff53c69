import { ERROR_KINDS } from '@gatehouse/contracts-platform';

import { buildOpenApi, HttpHooks, type RunningService, statusOf } from '../src/index.ts';
import { ProbeModule } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';
import './fixtures/log-lines.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7/;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

let service: RunningService;
beforeAll(async () => {
  service = await startProbe(ProbeModule);
});
afterAll(() => service.stop());

const call = (path: string, init?: RequestInit) => fetch(`${service.httpUrl}${path}`, init);
const json = (body: unknown, type = 'application/json'): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': type },
  body: JSON.stringify(body),
});

describe('the context of a request', () => {
  it('has an id that the answer carries', async () => {
    const answer = await call('/v1/probe/context');
    const { requestId } = (await answer.json()) as { requestId: string };
    expect(requestId).toMatch(UUID_V7);
    expect(answer.headers.get('x-request-id')).toBe(requestId);
  });

  it('believes no request id from outside', async () => {
    const answer = await call('/v1/probe/context', { headers: { 'x-request-id': 'mine' } });
    expect(answer.headers.get('x-request-id')).not.toBe('mine');
  });

  it('believes no forwarded address', async () => {
    const answer = await call('/v1/probe/context', { headers: { 'x-forwarded-for': '192.0.2.1' } });
    expect(await answer.json()).toMatchObject({ clientIp: '127.0.0.1' });
  });

  it('continues the trace of the caller, answers with its own span, and believes no stranger who asks to be sampled', async () => {
    const answer = await call('/v1/probe/context', { headers: { traceparent: TRACEPARENT } });
    const { trace } = (await answer.json()) as { trace: { spanId: string } };
    expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: '00f067aa0ba902b7' });
    expect(answer.headers.get('traceparent')).toBe(`00-${TRACE}-${trace.spanId}-00`);
  });

  it('is still there after the body was read and work was awaited', async () => {
    const answer = await call('/v1/probe/context', json({ a: 'x'.repeat(100_000) }));
    const { requestId } = (await answer.json()) as { requestId: string };
    expect(answer.headers.get('x-request-id')).toBe(requestId);
  });

  it('is one a request, also when many run at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const answer = await call('/v1/probe/context', json({}));
        const { requestId } = (await answer.json()) as { requestId: string };
        expect(answer.headers.get('x-request-id')).toBe(requestId);
        return requestId;
      }),
    );
    expect(new Set(ids).size).toBe(50);
  });

  it('may be filled in before the body is read, and that may refuse', async () => {
    service.app.get(HttpHooks).beforeBody(async (context, request) => {
      await Promise.resolve();
      const id = request.headers['x-vouched-id'];
      if (typeof id === 'string') context.requestId = id;
    });
    const answer = await call('/v1/probe/things', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-vouched-id': 'vouched' },
      body: '{',
    });
    expect(answer.headers.get('x-request-id')).toBe('vouched');
    expect(await answer.json()).toMatchObject({ code: 'MALFORMED_JSON', request_id: 'vouched' });

    for (const path of [
      '/nowhere',
      '/v1/probe/things?a=%00',
      `/v1/probe/fail/${'x'.repeat(600)}`,
    ]) {
      const refused = await call(path, { headers: { 'x-vouched-id': 'vouched' } });
      expect(await refused.json()).toMatchObject({ request_id: 'vouched' });
    }
  });
});

describe('errors', () => {
  it.each(ERROR_KINDS)('%s is a problem with its status', async (kind) => {
    const answer = await call(`/v1/probe/fail/${kind}`);
    expect(answer.status).toBe(statusOf(kind));
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const body = (await answer.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      code: `PROBE_${kind.toUpperCase().replaceAll('-', '_')}`,
      status: statusOf(kind),
      instance: `/v1/probe/fail/${kind}`,
      request_id: answer.headers.get('x-request-id'),
    });
  });

  it('tells nothing of a bug', async () => {
    const text = await (await call('/v1/probe/fail/bug')).text();
    expect(JSON.parse(text)).toMatchObject({ code: 'INTERNAL_ERROR', status: 500 });
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('TypeError');
  });

  it('leaves the query out of instance', async () => {
    expect(await (await call('/v1/probe/fail/conflict?token=abc')).json()).toMatchObject({
      instance: '/v1/probe/fail/conflict',
    });
  });

  it('is 404 for a path nobody serves, 405 with Allow for another method', async () => {
    expect(await (await call('/v1/nobody')).json()).toMatchObject({ code: 'ROUTE_NOT_FOUND' });
    const answer = await call('/v1/probe/things', { method: 'PUT' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
    expect(await answer.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
  });
});

describe('validation', () => {
  it('names each thing that is wrong by its pointer', async () => {
    const answer = await call('/v1/probe/things', json({ name: '', size: 'x', color: 'red' }));
    expect(answer.status).toBe(400);
    const { code, errors } = (await answer.json()) as {
      code: string;
      errors: { pointer: string }[];
    };
    expect(code).toBe('VALIDATION_FAILED');
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/color', '/name', '/size']);
  });

  it.each([
    ['GET', '/v1/probe/things?page_size=many', '/query/page_size'],
    ['GET', '/v1/probe/things?color=red', '/query/color'],
    ['GET', '/v1/probe/things?page_size=1&page_size=2', '/query/page_size'],
    ['DELETE', '/v1/probe/things/7', '/path/id'],
  ])('%s %s points at %s', async (method, path, pointer) => {
    const answer = await call(path, { method });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ pointer }] });
  });

  it('hands the handler what the schema made of the request', async () => {
    expect(await (await call('/v1/probe/things', json({ name: ' Ada ' }))).json()).toEqual({
      name: 'Ada',
      size: 1,
    });
    expect(await (await call('/v1/probe/things')).json()).toEqual({ page_size: 25 });
  });
});

describe('the admin listener', () => {
  it.each(['/health/live', '/health/ready', '/metrics', '/diagnostics'])(
    'alone serves %s',
    async (path) => {
      expect((await fetch(`${service.adminUrl}${path}`)).status).toBe(200);
      expect((await call(path)).status).toBe(404);
    },
  );

  it('serves nothing else, and tells nothing of it', async () => {
    for (const path of ['/v1/probe/context', '/v1/probe/things']) {
      expect((await fetch(`${service.adminUrl}${path}`)).status).toBe(404);
      const put = await fetch(`${service.adminUrl}${path}`, { method: 'PUT' });
      expect([put.status, put.headers.get('allow')]).toEqual([404, null]);
    }
  });

  it('cannot be asked for by a header', async () => {
    const headers = {
      host: new URL(service.adminUrl).host,
      'x-forwarded-host': 'admin',
      listener: 'admin',
    };
    expect((await call('/metrics', { headers })).status).toBe(404);
  });

  it('counts requests by method, route template and class of status', async () => {
    await call('/v1/probe/fail/conflict');
    await call(`/v1/nobody/${'x'.repeat(10)}`);
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /http_server_request_duration_seconds_count\{http_request_method="GET",http_route="\/v1\/probe\/fail\/:how",status_class="4xx"\} \d+/,
    );
    expect(metrics).toContain('http_route="none",status_class="4xx"');
    expect(metrics).not.toContain('xxxxxxxxxx');
    expect(metrics).toContain('process_cpu_user_seconds_total');
  });
});

describe('OpenAPI', () => {
  it('is a 3.1 document of the routes and schemas, without the admin routes', async () => {
    const document = (await buildOpenApi(service.app)) as {
      openapi: string;
      info: object;
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      components: { schemas: Record<string, unknown> };
    };
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'probe', version: '1.2.3' });
    expect(Object.keys(document.paths).filter((path) => !path.startsWith('/v1/probe'))).toEqual([]);
    expect(document.paths['/v1/probe/things']?.post).toMatchObject({
      requestBody: {
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
      },
      responses: {
        201: {
          description: 'The thing',
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
        },
        default: {
          content: {
            'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
          },
        },
      },
    });
    expect(document.components.schemas.Thing).toMatchObject({
      type: 'object',
      additionalProperties: false,
    });
    expect(document.paths['/v1/probe/things']?.get).toMatchObject({
      parameters: [{ in: 'query', name: 'page_size' }],
    });
  });
});
