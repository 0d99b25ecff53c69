import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { describeWithEngines, ENGINES_START_MS, eventually } from '@gatehouse/testing';
import {
  type Answer,
  type Login,
  startPlatform,
  TestClient,
  type TestPlatform,
} from '@gatehouse/testing-platform';
import { auditEntries } from './support/audit-log.ts';
import { type CollectedSpan, CollectedSpans, treeOf } from './support/collected-spans.ts';
import { linesOf } from './support/log-lines.ts';
import { scrape } from './support/metrics.ts';

jest.setTimeout(120_000);

const traceOf = ({ headers }: Answer) => headers.get('traceparent')?.split('-')[1] ?? '';
const named = (spans: readonly CollectedSpan[], name: string, service?: string) => {
  const span = spans.find(
    (each) => each.name === name && (service === undefined || each.service === service),
  );
  if (span === undefined) throw new Error(`no ${name} in:\n${treeOf(spans).join('\n')}`);
  return span;
};
const eventsOf = (span: CollectedSpan, name: string) =>
  span.events.filter((event) => event.name === name).map(({ attributes }) => attributes);

/** Two rows go to the outbox: one of both events, one of the audit entry. */
const BINDING = [
  'gateway server POST /v1/bindings',
  '  gateway client POST',
  '    authz server POST /v1/bindings',
  '      authz internal command CreateBinding',
  '        authz client COMMIT',
  '        authz client INSERT aggregate_versions',
  '        authz client INSERT bindings',
  '        authz client INSERT outbox',
  '        authz client INSERT outbox',
  '        authz client INSERT subjects',
  '        authz client SELECT authz.bindings authz.roles',
  '        authz client SELECT authz.roles',
  '        authz client SELECT authz.roles',
  '        authz client SELECT bindings roles',
  '        authz client SELECT bindings roles',
  '        authz client WITH authz.change_counter authz.change_feed',
  '        authz producer publish authz.binding',
  '          authz client send authz.binding',
  '        authz producer publish authz.grants',
  '          authz client send authz.grants',
];
const REGISTRATION = [
  'gateway server POST /v1/auth/register',
  '  gateway client POST',
  '    auth server POST /v1/auth/register',
  '      auth internal command Register',
  '        auth client COMMIT',
  '        auth client COMMIT',
  '        auth client DELETE known_networks',
  '        auth client DELETE registrations',
  '        auth client INSERT credentials',
  '        auth client INSERT known_networks',
  '        auth client INSERT outbox',
  '        auth client INSERT outbox',
  '        auth client INSERT registrations',
  '        auth client SELECT credentials',
  '        auth client UPDATE credentials',
  '        auth client gatehouse.identity.v1.IdentityService/CreateUser',
  '          identity server gatehouse.identity.v1.IdentityService/CreateUser',
  '            identity internal command CreateUser',
  '              identity client COMMIT',
  '              identity client INSERT aggregate_versions',
  '              identity client INSERT identity.users',
  '              identity client INSERT outbox',
  '              identity producer publish identity.user',
  '                identity client send identity.user',
];
/** What the subscribers of a deleted user are. */
const PROCESSES = [
  'auth consumer process identity.user',
  'authz consumer process identity.user',
  'identity consumer process identity.user',
];

describeWithEngines(['otelcol'], () => {
  let collected: CollectedSpans;
  let platform: TestPlatform;
  let administrator: Login;
  let userId: string;
  beforeAll(async () => {
    collected = await CollectedSpans.start();
    platform = await startPlatform({
      env: collected.env,
      envOf: { gateway: { GATEWAY_ACCESS_LOG_SAMPLE: '1' } },
    });
    administrator = await platform.loginAsAdministrator();
    ({ userId } = await platform.registerAndLogin());
    // From here on the gateway and Authz know what the administrator may.
    expect((await administrator.client.get('/v1/roles')).status).toBe(200);
  }, ENGINES_START_MS);
  afterAll(async () => {
    await platform.stop();
    await collected.end();
  });

  describe("the README's write request: a role is bound to a user", () => {
    let write: Answer;
    let trace: string;
    let spans: CollectedSpan[];
    beforeAll(async () => {
      write = await administrator.client.post('/v1/bindings', {
        subject_id: userId,
        role: 'platform-admin',
        scope: 'platform',
      });
      trace = traceOf(write);
      spans = await collected.whole(
        trace,
        'POST',
        'send authz.binding',
        'send authz.grants',
        'command CreateBinding',
      );
    });

    it('is one tree of spans, from the edge to the broker', () => {
      expect(write.status).toBe(201);
      expect(treeOf(spans)).toEqual(BINDING);
    });

    it('has one trace id in the answer, in every log line of every process, and in the audit entry', async () => {
      const gateway = named(spans, 'POST /v1/bindings', 'gateway');
      expect(write.headers.get('traceparent')).toBe(`00-${trace}-${gateway.id}-01`);
      const ids = new Set(spans.map(({ id }) => id));
      for (const service of ['gateway', 'authz']) {
        const lines = linesOf(platform.logsOf(service), trace);
        expect(lines.length).toBeGreaterThan(0);
        for (const line of lines) expect(ids).toContain(line.span_id);
        const ofRequest = platform
          .logsOf(service)
          .split('\n')
          .filter((line) => line.includes(write.headers.get('x-request-id') ?? ''));
        expect(ofRequest).toHaveLength(lines.length);
      }
      const [entry] = await auditEntries(administrator.client, {
        action: 'authz.binding.create',
        target: String(write.body.id),
      });
      expect(entry).toMatchObject({ trace_id: trace, outcome: 'success' });
    });

    it('bears the names of the semantic conventions', () => {
      expect(named(spans, 'POST /v1/bindings', 'gateway').attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.route': '/v1/bindings',
        'http.response.status_code': 201,
        'url.scheme': 'http',
        'user.id': platform.administrator.userId,
        'gatehouse.upstream': 'authz',
        'gatehouse.request_id': write.headers.get('x-request-id'),
      });
      expect(named(spans, 'POST').attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.response.status_code': 201,
        'server.address': '127.0.0.1',
        'url.full': `${platform.httpUrlOf('authz')}/v1/bindings`,
      });
      const insert = named(spans, 'INSERT bindings');
      expect(insert.attributes).toMatchObject({
        'db.system.name': 'postgresql',
        'db.operation.name': 'INSERT',
        'db.collection.name': 'bindings',
        'db.query.text': expect.stringContaining('$1') as string,
      });
      expect(named(spans, 'publish authz.binding').attributes).toMatchObject({
        'messaging.system.name': 'postgresql',
        'messaging.destination.name': 'authz.binding',
        'messaging.operation.type': 'create',
        'cloudevents.event_type': 'authz.binding.created.v1',
      });
      expect(spans.filter(({ failed }) => failed)).toEqual([]);
    });

    it('tells each decision with its reason', () => {
      const gateway = named(spans, 'POST /v1/bindings', 'gateway');
      expect(eventsOf(gateway, 'gatehouse.rate_limit')).toEqual(
        ['address', 'principal'].map((policy): unknown =>
          expect.objectContaining({ 'gatehouse.policy': policy, 'gatehouse.outcome': 'allowed' }),
        ),
      );
      expect(eventsOf(gateway, 'gatehouse.authentication')).toEqual([
        { 'gatehouse.outcome': 'allowed', 'gatehouse.reason': 'the token is good' },
      ]);
      for (const server of spans.filter(
        ({ kind, name }) => kind === 'server' && name.includes('bindings'),
      )) {
        expect(eventsOf(server, 'gatehouse.authorization')).toEqual([
          {
            'gatehouse.permission': 'authz.binding.create',
            'gatehouse.outcome': 'allowed',
            'gatehouse.reason': 'role platform-admin in scope platform',
            'gatehouse.source': 'memory',
          },
        ]);
      }
    });
  });

  it('goes through gRPC: a registration is one tree in three processes', async () => {
    // A busy machine may miss the deadline of a call, and then it is made again: another tree, and no fault.
    const spans = await eventually(
      async () => {
        const answer = await platform.client().post('/v1/auth/register', {
          email: `ada-${randomBytes(4).toString('hex')}@example.com`,
          password: 'correct horse battery staple',
          display_name: 'Ada',
        });
        const found = await collected.whole(
          traceOf(answer),
          'POST',
          'send identity.user',
          'command Register',
        );
        expect(treeOf(found)).toEqual(REGISTRATION);
        return found;
      },
      { timeoutMs: 60_000 },
    );
    const calls = spans.filter(({ name }) => name.endsWith('/CreateUser'));
    expect(calls.map(({ kind }) => kind).sort()).toEqual(['client', 'server']);
    for (const span of calls) {
      expect(span.attributes).toMatchObject({
        'rpc.system.name': 'grpc',
        'rpc.method': 'gatehouse.identity.v1.IdentityService/CreateUser',
        'rpc.status_code': 'OK',
      });
    }
  });

  it('links each subscriber to the event it handles', async () => {
    await expectLinkedSubscribers(platform, collected, administrator, 'postgresql');
  });

  describe('a request that is refused', () => {
    it('for want of a token says so', async () => {
      const answer = await platform.client().get('/v1/users');
      const [gateway, ...rest] = await collected.whole(traceOf(answer), 'GET /v1/users');
      expect(answer.status).toBe(401);
      expect(rest).toEqual([]);
      expect(gateway?.attributes['gatehouse.code']).toBe('UNAUTHENTICATED');
      expect(eventsOf(gateway!, 'gatehouse.authentication')).toEqual([
        { 'gatehouse.outcome': 'refused', 'gatehouse.reason': 'no token' },
      ]);
    });

    it('for want of a permission says which, who was asked, and is the trace of the denial on record', async () => {
      const user = await platform.registerAndLogin();
      const answer = await user.client.get('/v1/users');
      const spans = await collected.whole(
        traceOf(answer),
        'GET /v1/users',
        'gatehouse.authz.v1.AuthzService/ListGrants',
        'SELECT change_counter bindings',
      );
      expect(answer.status).toBe(403);
      expect(eventsOf(named(spans, 'GET /v1/users'), 'gatehouse.authorization')).toEqual([
        {
          'gatehouse.permission': 'identity.user.list',
          'gatehouse.outcome': 'refused',
          'gatehouse.reason': 'no role that holds identity.user.list in scope platform',
          'gatehouse.source': 'remote',
        },
      ]);
      const filter = { actor: user.userId, outcome: 'denied' };
      const [entry] = await auditEntries(administrator.client, filter);
      expect(entry?.trace_id).toBe(traceOf(answer));
    });

    it('by a limit says by which', async () => {
      const client = platform.client();
      // Each time another account, so that it is the address that is too fast.
      const guess = () =>
        client.post('/v1/auth/login', {
          email: `nobody-${randomBytes(4).toString('hex')}@example.com`,
          password: 'a guess, and a wrong one',
        });
      const answers = await Promise.all(Array.from({ length: 15 }, guess));
      const answer = answers.find(({ status }) => status === 429);
      if (answer === undefined) throw new Error('none of 15 logins at once was refused');
      const [gateway] = await collected.whole(traceOf(answer), 'POST /v1/auth/login');
      expect(gateway?.attributes['gatehouse.code']).toBe('RATE_LIMITED');
      expect(eventsOf(gateway!, 'gatehouse.rate_limit')).toContainEqual(
        expect.objectContaining({
          'gatehouse.outcome': 'refused',
          'gatehouse.reason': 'limit exceeded',
          'gatehouse.remaining': 0,
        }),
      );
    });
  });

  describe('a traceparent from outside', () => {
    const SPAN = 'b7ad6b7169203331';
    const newId = () => `a${randomBytes(16).toString('hex').slice(1)}`;
    const sent = (traceparent: string, tracestate: string) =>
      platform.client().get('/v1/users', { traceparent, tracestate });

    it('is continued where it is valid; what it says of sampling is not followed', async () => {
      const valid = [
        (trace: string) => `00-${trace}-${SPAN}-01`,
        (trace: string) => `00-${trace}-${SPAN}-00`,
        // A later version is read by its first fields.
        (trace: string) => `01-${trace}-${SPAN}-01-more`,
      ];
      const continued = await Promise.all(
        valid.map(async (header) => {
          const trace = newId();
          return { trace, answer: await sent(header(trace), 'vendor=1') };
        }),
      );
      for (const { trace, answer } of continued) {
        const own = answer.headers.get('traceparent');
        expect(own).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
        const [gateway] = await collected.whole(trace, 'GET /v1/users');
        expect(gateway).toMatchObject({ parent: SPAN, kind: 'server', id: own?.split('-')[2] });
      }
    });

    it('begins a new trace where it is not', async () => {
      const invalid = [
        (trace: string) => `ff-${trace}-${SPAN}-01`,
        (trace: string) => `00-${trace}-${SPAN}-01-more`,
        () => `00-${'0'.repeat(32)}-${SPAN}-01`,
        (trace: string) => `00-${trace}-${'0'.repeat(16)}-01`,
        (trace: string) => `00-${trace.toUpperCase()}-${SPAN}-01`,
        (trace: string) => `00-${trace}${'a'.repeat(5_000)}-${SPAN}-01`,
      ];
      const begun = await Promise.all(
        invalid.map(async (header) => {
          const trace = newId();
          return { trace, answer: await sent(header(trace), 'vendor=1') };
        }),
      );
      for (const { trace, answer } of begun) {
        expect(answer.headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
        expect(traceOf(answer).toLowerCase()).not.toBe(trace);
        const [gateway] = await collected.whole(traceOf(answer), 'GET /v1/users');
        expect(gateway?.parent).toBe('');
      }
    });
  });

  it('holds nothing that was sent: no header, token, body, query or unknown path', async () => {
    const canary = `canary${randomBytes(8).toString('hex')}`;
    const names = ['cookie', 'user-agent', 'x-anything', 'tracestate', 'referer', 'x-request-id'];
    const headers = Object.fromEntries(
      names.map((name) => [name, `${name.replaceAll('-', '')}=${canary}`]),
    );
    const password = `${canary}-Password-1`;
    const email = `${canary}@example.com`;
    const client = platform.client();
    await client.post('/v1/auth/register', { email, password, display_name: canary }, headers);
    const login = await eventually(() => platform.login(email, password));
    await client.post('/v1/auth/login', { email, password: `${password}!` }, headers);
    await login.client.get(`/v1/users/me?q=${canary}`, headers);
    await client.get('/v1/users/me', { ...headers, authorization: `Bearer ${canary}` });
    await client.get(`/v1/${canary}/${canary}?${canary}=1`, headers);
    await client.post('/v1/bindings', `{"subject_id": "${canary}"`, headers);
    await administrator.client.post('/v1/roles', { name: canary, permissions: [canary] }, headers);
    await administrator.client.get(`/v1/users?search=${canary}&page_size=${canary}`, headers);
    const last = await administrator.client.get('/v1/users?page_size=1', headers);
    await collected.whole(traceOf(last), 'GET /v1/users', 'GET', 'query ListUsers');
    // Everything that came before has been sent too: batches go out in order, and the Collector judges in order.
    await collected.whole(traceOf(await client.get('/v1/users')), 'GET /v1/users');
    const { text } = collected;
    expect(text).not.toContain(canary);
    for (const { accessToken } of [login, administrator]) {
      for (const part of accessToken.split('.')) expect(text).not.toContain(part);
    }
  });

  describe('at a gateway that samples nothing', () => {
    let client: TestClient;
    beforeAll(async () => {
      const second = await platform.startInstance('gateway', {
        HTTP_PORT: '0',
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0',
        GATEWAY_TRACE_SLOW_MS: '60000',
        OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
      });
      client = new TestClient(second.httpUrl, { token: administrator.accessToken });
      await eventually(async () => (await client.get('/v1/users/me')).status === 200);
    });

    it('a refused request has one span all the same, made at its end', async () => {
      const traceparent = `00-${randomBytes(16).toString('hex')}-b7ad6b7169203331-01`;
      const refused = await client.as('nonsense').get('/v1/users', { traceparent });
      expect(refused.headers.get('traceparent')).toMatch(/-00$/);
      const spans = await collected.whole(traceOf(refused), 'GET /v1/users');
      expect(spans).toHaveLength(1);
      expect(spans[0]).toMatchObject({
        id: refused.headers.get('traceparent')?.split('-')[2],
        attributes: { 'gatehouse.kept': 'refused', 'http.response.status_code': 401 },
        events: [{ name: 'gatehouse.authentication' }],
      });
    });

    it('any other has none, whatever its caller asks for', async () => {
      const traceparent = `00-${randomBytes(16).toString('hex')}-b7ad6b7169203331-01`;
      const served = await client.get('/v1/users/me', { traceparent });
      expect(served.headers.get('traceparent')).toMatch(/-00$/);
      // What the gateway sends after it has arrived.
      const refused = await client.as('nonsense').get('/v1/users');
      await collected.whole(traceOf(refused), 'GET /v1/users');
      expect(collected.of(traceOf(served))).toEqual([]);
    });
  });

  it('is nobody’s trouble when the Collector is gone: requests are served, and spans counted as dropped', async () => {
    const adminUrl = platform.adminUrlOf('gateway', 1);
    const client = new TestClient(platform.httpUrlOf('gateway', 1), {
      token: administrator.accessToken,
    });
    await collected.kill();
    expect((await client.as('nonsense').get('/v1/users')).status).toBe(401);
    expect((await client.get('/v1/users/me')).status).toBe(200);
    await eventually(
      async () =>
        (await scrape(adminUrl)).value('otel_spans_dropped_total', { reason: 'export_failed' }) > 0,
      { timeoutMs: 60_000 },
    );
  });
});

describeWithEngines(['otelcol', 'kafka'], () => {
  it(
    'links each subscriber to the event it handles, across Kafka',
    async () => {
      const collected = await CollectedSpans.start();
      const platform = await startPlatform({ env: collected.env, engines: ['kafka'] });
      try {
        const administrator = await platform.loginAsAdministrator();
        await expectLinkedSubscribers(platform, collected, administrator, 'kafka');
      } finally {
        await platform.stop();
        await collected.end();
      }
    },
    ENGINES_START_MS,
  );
});

async function expectLinkedSubscribers(
  platform: TestPlatform,
  collected: CollectedSpans,
  administrator: Login,
  system: string,
): Promise<void> {
  const { userId } = await platform.registerAndLogin();
  const answer = await administrator.client.send('DELETE', `/v1/users/${userId}`);
  expect(answer.status).toBe(204);
  const spans = await eventually(
    () => {
      const now = collected.of(traceOf(answer));
      const tree = treeOf(now).map((line) => line.trim());
      for (const line of [...PROCESSES, 'identity producer publish identity.user']) {
        if (!tree.includes(line)) throw new Error(`no ${line} in:\n${tree.join('\n')}`);
      }
      return now;
    },
    { timeoutMs: 60_000 },
  );
  const publish = named(spans, 'publish identity.user');
  const send = named(spans, 'send identity.user');
  expect(send).toMatchObject({ parent: publish.id, kind: 'client' });
  const processed = spans.filter(({ name }) => name === 'process identity.user');
  expect(processed).toHaveLength(PROCESSES.length);
  for (const span of processed) {
    expect(span).toMatchObject({
      parent: publish.id,
      links: [`${publish.traceId}/${publish.id}`],
      attributes: {
        'messaging.system.name': system,
        'messaging.destination.name': 'identity.user',
        'messaging.operation.type': 'process',
        'messaging.message.id': publish.attributes['messaging.message.id'],
      },
    });
  }
}
