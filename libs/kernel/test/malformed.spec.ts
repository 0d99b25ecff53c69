import type { RunningService } from '../src/index.ts';
import { ProbeModule } from './fixtures/probe.module.ts';
import { startProbe } from './fixtures/probe.service.ts';
import { rawHttp } from './fixtures/raw-http.ts';
import './fixtures/log-lines.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startProbe(ProbeModule, { HTTP_BODY_LIMIT_BYTES: '4096' });
});
afterAll(() => service.stop());

const head = (method: string, path: string, lines: string[]) =>
  `${[`${method} ${path} HTTP/1.1`, 'Host: probe', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`;

function post(path: string, body: string | Buffer, type = 'application/json', more: string[] = []) {
  const bytes = Buffer.from(body);
  const lines = [`Content-Type: ${type}`, `Content-Length: ${bytes.length}`, ...more];
  return rawHttp(service.httpUrl, Buffer.concat([Buffer.from(head('POST', path, lines)), bytes]));
}

const THINGS = '/v1/probe/things';

describe('a request that is not well formed is a problem of the 4xx class', () => {
  it.each<[string, number, string, () => Promise<{ status: number; body: string }>]>([
    ['JSON that ends early', 400, 'MALFORMED_JSON', () => post(THINGS, '{"name":')],
    ['JSON 10,000 deep', 413, 'PAYLOAD_TOO_LARGE', () => post(THINGS, '['.repeat(10_000))],
    ['JSON 1,000 deep', 400, 'MALFORMED_JSON', () => post(THINGS, '['.repeat(1000))],
    ['invalid UTF-8', 400, 'MALFORMED_JSON', () => post(THINGS, Buffer.from([0x7b, 0xff, 0x7d]))],
    ['__proto__', 400, 'VALIDATION_FAILED', () => post(THINGS, '{"__proto__":{}}')],
    [
      'constructor.prototype',
      400,
      'VALIDATION_FAILED',
      () => post(THINGS, '{"constructor":{"prototype":{}}}'),
    ],
    [
      'a NUL in a string',
      400,
      'VALIDATION_FAILED',
      () => post(THINGS, String.raw`{"name":"\u0000"}`),
    ],
    ['a scalar for an object', 400, 'VALIDATION_FAILED', () => post(THINGS, '7')],
    ['an empty body', 400, 'VALIDATION_FAILED', () => post(THINGS, '')],
    [
      'another media type',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      () => post(THINGS, '<a/>', 'application/xml'),
    ],
    [
      'a form where JSON is due',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      () => post(THINGS, 'a=1', 'application/x-www-form-urlencoded'),
    ],
    ['JSON where a form is due', 415, 'UNSUPPORTED_MEDIA_TYPE', () => post('/v1/probe/form', '{}')],
    [
      'a media type that only begins alike',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      () => post(THINGS, '{}', 'application/jsonp'),
    ],
    [
      'another charset',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      () => post(THINGS, '{}', 'application/json; charset=utf-16'),
    ],
    [
      'a compressed body',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      () => post(THINGS, '{}', 'application/json', ['Content-Encoding: gzip']),
    ],
    [
      'no media type',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      () => rawHttp(service.httpUrl, `${head('POST', THINGS, ['Content-Length: 2'])}{}`),
    ],
    [
      'a body too large',
      413,
      'PAYLOAD_TOO_LARGE',
      () => post(THINGS, JSON.stringify({ name: 'x'.repeat(5000) })),
    ],
    ['a chunked body too large', 413, 'PAYLOAD_TOO_LARGE', () => chunked('x'.repeat(5000))],
    [
      'a body beyond its route’s own limit',
      413,
      'PAYLOAD_TOO_LARGE',
      () => post('/v1/probe/form', `a=${'x'.repeat(2000)}`, 'application/x-www-form-urlencoded'),
    ],
    [
      'a repeated __proto__ in a form',
      400,
      'VALIDATION_FAILED',
      () => post('/v1/probe/form', '__proto__=1', 'application/x-www-form-urlencoded'),
    ],
    ['a path with broken escapes', 400, 'VALIDATION_FAILED', () => get('/v1/probe/things/%zz')],
    ['a path that is not UTF-8', 400, 'VALIDATION_FAILED', () => get('/v1/probe/fail/%ff')],
    ['a NUL in the path', 400, 'VALIDATION_FAILED', () => get('/v1/probe/fail/%00')],
    ['a query that is not UTF-8', 400, 'VALIDATION_FAILED', () => get(`${THINGS}?page_size=%ff`)],
    ['__proto__ in the query', 400, 'VALIDATION_FAILED', () => get(`${THINGS}?__proto__=1`)],
    [
      'an endless path parameter',
      400,
      'VALIDATION_FAILED',
      () => get(`/v1/probe/fail/${'x'.repeat(2000)}`),
    ],
    [
      'a header that is no header',
      400,
      'MALFORMED_REQUEST',
      () => rawHttp(service.httpUrl, 'GET / HTTP/1.1\r\nno colon\r\n\r\n'),
    ],
    [
      'two content lengths',
      400,
      'MALFORMED_REQUEST',
      () =>
        rawHttp(service.httpUrl, head('POST', THINGS, ['Content-Length: 2', 'Content-Length: 3'])),
    ],
    [
      'a length and chunks',
      400,
      'MALFORMED_REQUEST',
      () =>
        rawHttp(
          service.httpUrl,
          head('POST', THINGS, ['Content-Length: 2', 'Transfer-Encoding: chunked']),
        ),
    ],
    [
      'headers beyond the limit',
      431,
      'HEADERS_TOO_LARGE',
      () => get('/', [`X-Big: ${'x'.repeat(20_000)}`]),
    ],
  ])('%s: %i %s', async (_name, status, code, send) => {
    const answer = await send();
    expect([answer.status, answer.body === '' ? {} : JSON.parse(answer.body)]).toEqual([
      status,
      expect.objectContaining({ status, code, request_id: expect.any(String) as string }),
    ]);
  });

  it('the same problem type on every one of them', async () => {
    for (const answer of [await get('/%zz'), await post(THINGS, '{'), await get('/nope')]) {
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.headers['x-request-id']).toBe(
        (JSON.parse(answer.body) as { request_id: string }).request_id,
      );
    }
  });

  it('takes what is well formed', async () => {
    expect((await post(THINGS, '{"name":"Ada"}', 'application/json; charset=UTF-8')).status).toBe(
      201,
    );
    const form = await post('/v1/probe/form', 'a=1&b=2&b=3', 'application/x-www-form-urlencoded');
    expect(JSON.parse(form.body)).toEqual({ a: '1', b: ['2', '3'] });
  });
});

function get(path: string, lines: string[] = []) {
  return rawHttp(service.httpUrl, head('GET', path, lines));
}

function chunked(text: string) {
  const chunk = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  const lines = ['Content-Type: application/json', 'Transfer-Encoding: chunked'];
  return rawHttp(service.httpUrl, head('POST', THINGS, lines) + chunk);
}
