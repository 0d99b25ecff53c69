import { connect } from 'node:net';
import type { Edge } from '../../test/fixtures/edge.ts';
import { person, problemOf, route, startEdge } from '../../test/fixtures/edge.ts';
import { FakeService } from '../../test/fixtures/fake-service.ts';
import { raw, readAnswer, requestText } from '../../test/fixtures/raw-client.ts';
import { RouteTable } from '../routing/route-table.ts';

let service: FakeService;
let edge: Edge;
const start = async (options: Partial<Parameters<typeof startEdge>[0]> = {}) => {
  service = await FakeService.start();
  edge = await startEdge({
    routes: [
      route('GET', '/v1/things'),
      route('POST', '/v1/things'),
      route('GET', '/v1/things/mine', { access: { kind: 'authenticated' } }),
      route('GET', '/v1/things/{id}', {
        access: {
          kind: 'permission',
          permission: 'things.thing.read',
          or_self: 'id',
          scope: 'organization',
        },
      }),
      route('DELETE', '/v1/things/{id}', {
        access: { kind: 'permission', permission: 'things.thing.delete', scope: 'platform' },
      }),
    ],
    instances: [service.url],
    ...options,
  });
  edge.logIn(person('ann'));
  edge.logIn(person('ben', 'acme'));
};
afterEach(async () => {
  await edge.stop();
  await service.stop();
});
const as = (token: string) => ({ Authorization: `Bearer ${token}` });

describe('a path', () => {
  it.each([
    '/v1/things/%2e%2e/users',
    '/v1//things',
    '//v1/things',
    '/v1/things;x=1',
    '/v1%2fthings',
    '/v1/things/..',
    '/v1\\things',
    '/v1/things%00',
    '/v1/%74hings',
    '/v1/things/%zz',
    '/v1/things/%c0%af',
    'http://127.0.0.1/v1/things',
    '/v1/things?a\u00ff',
  ])('that is not canonical is refused: %s', async (target) => {
    await start();
    const answer = await edge.call('GET', target);
    expect(answer.status).toBe(400);
    expect(service.seen).toHaveLength(0);
  });

  it('that is in no route is 503 while routes are still being read', async () => {
    await start({ parts: { table: () => new RouteTable([], false) } });
    const answer = await edge.call('GET', '/v1/things');
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('that nobody serves is 404, and one that takes other methods 405 with Allow', async () => {
    await start();
    expect(problemOf(await edge.call('GET', '/v1/nothing')).code).toBe('ROUTE_NOT_FOUND');
    const answer = await edge.call('PUT', '/v1/things');
    expect(problemOf(answer)).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 });
    expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
  });

  it.each(['TRACE', 'PROPFIND', 'PURGE'])('takes no %s', async (method) => {
    await start();
    expect((await edge.call(method, '/v1/things')).status).toBe(405);
    expect(service.seen).toHaveLength(0);
  });

  it('of the gateway itself goes to Nest', async () => {
    await start();
    expect((await edge.call('GET', '/openapi.json')).body).toBe('own /openapi.json');
  });
});

describe('a request that could be read in two ways', () => {
  const refused = async (bytes: string) => {
    await start();
    const answer = await raw(edge.port, bytes);
    expect(answer.status).toBe(400);
    expect(service.seen).toHaveLength(0);
  };
  const post = 'POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  it('has a length and chunks', () =>
    refused(`${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX`));
  it('has chunks and a length', () =>
    refused(`${post}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX`));
  it('has two lengths', () => refused(`${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`));
  it('has two equal lengths', () =>
    refused(`${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`));
  it('has a coding that is not chunked last', () =>
    refused(`${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`));
  it('has an obscured coding', () =>
    refused(`${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`));
  it('has a space before the colon', () => refused(`${post}Content-Length : 2\r\n\r\n{}`));
  it('has a folded header', () => refused(`${post}X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n`));
  it('has a bare CR in a header', () => refused(`${post}X-A: 1\r2\r\n\r\n`));
  it('has two hosts', () => refused(`GET /v1/things HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`));
  it('has no host', () => refused(`GET /v1/things HTTP/1.1\r\n\r\n`));

  it('has two thousand headers: nothing of it reaches a reused connection', async () => {
    await start();
    const many = Array.from({ length: 2_100 }, (_, n) => `a${n}: 1\r\n`).join('');
    const smuggled = 'Content-Length: 44\r\n\r\nGET /v1/things/admin HTTP/1.1\r\nHost: x\r\n\r\n';
    await edge.call('GET', '/v1/things');
    const answer = await raw(edge.port, `GET /v1/things HTTP/1.1\r\nHost: x\r\n${many}${smuggled}`);
    expect([400, 431]).toContain(answer.status);
    await edge.call('GET', '/v1/things');
    expect(service.seen.map(({ url }) => url)).toEqual(['/v1/things', '/v1/things']);
  });

  it('is a body that looks like a request: it stays a body on a reused connection', async () => {
    await start();
    const socket = connect(edge.port, '127.0.0.1');
    const body = 'GET /v1/things/admin HTTP/1.1\r\nHost: x\r\n\r\n';
    for (let n = 0; n < 3; n++) {
      socket.write(requestText('POST', '/v1/things', { 'Content-Type': 'application/json' }, body));
      expect((await readAnswer(socket)).status).toBe(200);
    }
    socket.destroy();
    expect(service.seen.map(({ url }) => url)).toEqual(Array(3).fill('/v1/things'));
  });
});

describe('authentication', () => {
  it('is asked for with a challenge, and says why where a token was sent', async () => {
    await start();
    const none = await edge.call('GET', '/v1/things/mine');
    expect(problemOf(none)).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
    expect(none.headers['www-authenticate']).toBe('Bearer realm="gatehouse"');
    const wrong = await edge.call('GET', '/v1/things/mine', as('nobody'));
    expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
    const expired = await edge.call('GET', '/v1/things/mine', as('expired'));
    expect(problemOf(expired).code).toBe('TOKEN_EXPIRED');
    expect(service.seen).toHaveLength(0);
  });

  it.each(['Basic YTpi', 'Bearer', 'Bearer  ann', 'ann'])('takes no %s', async (value) => {
    await start();
    expect((await edge.call('GET', '/v1/things/mine', { Authorization: value })).status).toBe(401);
  });

  it('passes the token on, the scheme in any case', async () => {
    await start();
    const answer = await edge.call('GET', '/v1/things/mine', { Authorization: 'bearer ann' });
    expect(answer.status).toBe(200);
    expect(service.last.headers.authorization).toBe('bearer ann');
  });

  it('ends with the session, from one request to the next', async () => {
    await start();
    expect((await edge.call('GET', '/v1/things/mine', as('ann'))).status).toBe(200);
    edge.revoke('ann');
    expect((await edge.call('GET', '/v1/things/mine', as('ann'))).status).toBe(401);
  });

  it('is no matter of a public route: it gets what was sent', async () => {
    await start();
    const basic = { Authorization: 'Basic YTpi' };
    expect((await edge.call('GET', '/v1/things', basic)).status).toBe(200);
    expect(service.last.headers.authorization).toBe('Basic YTpi');
  });
});

describe('a permission', () => {
  it('that is missing is refused and recorded once', async () => {
    await start();
    const answer = await edge.call('GET', '/v1/things/7', as('ann'));
    expect(problemOf(answer)).toMatchObject({ code: 'PERMISSION_DENIED', status: 403 });
    expect(edge.denials).toEqual([`things.thing.read ${answer.headers['x-request-id']}`]);
    expect(service.seen).toHaveLength(0);
  });

  it('is decided in the organization of the token, or the platform where it has none', async () => {
    await start();
    edge.grant('ann', 'things.thing.read', 'platform');
    edge.grant('ben', 'things.thing.read', 'organization:acme');
    expect((await edge.call('GET', '/v1/things/7', as('ann'))).status).toBe(200);
    expect((await edge.call('GET', '/v1/things/7', as('ben'))).status).toBe(200);
  });

  it('for what is global is decided in the platform whatever the organization', async () => {
    await start();
    edge.grant('ben', 'things.thing.delete', 'organization:acme');
    expect((await edge.call('DELETE', '/v1/things/7', as('ben'))).status).toBe(403);
    edge.grant('ben', 'things.thing.delete', 'platform');
    expect((await edge.call('DELETE', '/v1/things/7', as('ben'))).status).toBe(200);
  });

  it('is not needed for oneself, where the route says so', async () => {
    await start();
    expect((await edge.call('GET', '/v1/things/ann', as('ann'))).status).toBe(200);
    expect((await edge.call('GET', '/v1/things/ben', as('ann'))).status).toBe(403);
    expect((await edge.call('DELETE', '/v1/things/ann', as('ann'))).status).toBe(403);
  });
});

describe('a limit', () => {
  const tight = { name: 'address', limit: 3, window_seconds: 60, by: 'ip' } as const;

  it('is reported with every answer and refuses with the time to wait', async () => {
    await start({ edge: { address: tight } });
    const first = await edge.call('GET', '/v1/things');
    expect(first.headers['ratelimit-policy']).toBe('"address";q=3;w=60');
    expect(first.headers.ratelimit).toBe('"address";r=2;t=20');
    await edge.call('GET', '/v1/things');
    await edge.call('GET', '/v1/things');
    const refused = await edge.call('GET', '/v1/things');
    expect(problemOf(refused)).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(service.seen).toHaveLength(3);
  });

  it('cannot be escaped by changing what a client says of itself', async () => {
    await start({ edge: { address: tight } });
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) {
      const lies = {
        'X-Forwarded-For': `10.0.0.${n}`,
        'X-Real-IP': `10.0.1.${n}`,
        Forwarded: `for=${n}`,
      };
      statuses.push((await edge.call('GET', '/v1/things', lies)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429]);
  });

  it('counts the client that a trusted proxy names, and an IPv6 client by its /64', async () => {
    await start({ edge: { address: tight }, proxies: ['127.0.0.1'] });
    const from = async (address: string) =>
      (await edge.call('GET', '/v1/things', { 'X-Forwarded-For': address })).status;
    for (const n of [1, 2, 3]) expect(await from(`2001:db8::${n}`)).toBe(200);
    expect(await from('2001:db8::4')).toBe(429);
    expect(await from('2001:db8:0:1::1')).toBe(200);
    expect(service.last.headers['x-forwarded-for']).toBe('2001:db8:0:1::1');
  });

  it('counts what is not found too, so that nobody probes for free', async () => {
    await start({ edge: { address: tight } });
    for (let n = 0; n < 3; n++) expect((await edge.call('GET', `/nothing/${n}`)).status).toBe(404);
    expect((await edge.call('GET', '/nothing/4')).status).toBe(429);
    expect((await edge.call('GET', '/v1//x')).status).toBe(429);
  });

  it('of a route counts beside that of the edge, and the tightest refuses', async () => {
    const policy = { name: 'burst', limit: 1, window_seconds: 60, by: 'principal' } as const;
    await start({
      routes: [
        route('GET', '/v1/things', { access: { kind: 'authenticated' }, rate_limits: [policy] }),
        route('GET', '/v1/things/{id}', { access: { kind: 'authenticated' } }),
      ],
    });
    const first = await edge.call('GET', '/v1/things', as('ann'));
    expect(first.headers.ratelimit).toContain('"burst";r=0');
    expect(first.headers['ratelimit-policy']).toContain('"burst";q=1;w=60');
    expect((await edge.call('GET', '/v1/things', as('ann'))).status).toBe(429);
    expect((await edge.call('GET', '/v1/things', as('ben'))).status).toBe(200);
    expect((await edge.call('GET', '/v1/things/1', as('ann'))).status).toBe(200);
  });
});

describe('a body', () => {
  it.each([
    ['none at all', {}],
    ['another', { 'Content-Type': 'text/xml' }],
    ['one that only begins alike', { 'Content-Type': 'application/jsonx' }],
    ['two', { 'Content-Type': 'application/json, text/xml' }],
  ])('is refused where its media type is %s', async (_name, headers) => {
    await start();
    expect(problemOf(await edge.call('POST', '/v1/things', headers, '{}')).status).toBe(415);
    expect(service.seen).toHaveLength(0);
  });

  it('is refused where the route takes none', async () => {
    await start();
    const json = { 'Content-Type': 'application/json' };
    expect((await edge.call('GET', '/v1/things', json, '{}')).status).toBe(415);
  });
});

describe('a browser', () => {
  it('of a listed origin may read answers and ask before it calls', async () => {
    await start();
    const origin = { Origin: 'https://app.example' };
    const answer = await edge.call('GET', '/v1/things', origin);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
    const preflight = await edge.call('OPTIONS', '/v1/things', {
      ...origin,
      'Access-Control-Request-Method': 'POST',
    });
    expect(preflight).toMatchObject({ status: 204, body: '' });
    expect(preflight.headers['access-control-allow-methods']).toContain('POST');
    const refused = await edge.call('GET', '/v1/things/mine', origin);
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(service.seen).toHaveLength(1);
  });

  it('of another origin is told nothing', async () => {
    await start();
    const other = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' };
    const preflight = await edge.call('OPTIONS', '/v1/things', other);
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    expect(preflight.headers['access-control-allow-methods']).toBeUndefined();
  });
});
