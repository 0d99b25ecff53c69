import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import {
  describeWithEngines,
  ENGINES_START_MS,
  engineSet,
  type EngineSet,
  eventually,
} from '@gatehouse/testing';
import { type Login, startPlatform, type TestPlatform } from '@gatehouse/testing-platform';
import { randomAddress } from './support/addresses.ts';
import { Administrators } from './support/administrators.ts';
import { auditEntries } from './support/audit-log.ts';
import { linesOf } from './support/log-lines.ts';
import { Canaries, type CanaryRequest, canaryRequests } from './support/canaries.ts';
import { ApiDocument } from './support/openapi/api-document.ts';
import { Wire } from './support/openapi/wire.ts';

jest.setTimeout(120_000);

const SERVICES = ['gateway', 'auth', 'identity', 'authz', 'audit'];
const OF_EACH_SERVICE = ['/v1/auth/login', '/v1/users', '/v1/roles', '/v1/audit/entries'];
const IN_PARALLEL = 12;
const WORKSPACE = join(import.meta.dirname, '..', '..', '..', '..');

type Line = Record<string, unknown>;

interface Levels {
  service: string;
  instances: { instance_id: string; level: string; until: string | null; problem: string | null }[];
}

/**
 * Lines of real processes through a real Collector into a real OpenSearch, which calls itself Elasticsearch because the
 * Collector's exporter asks for that.
 */
describeWithEngines(['otelcol', 'opensearch'], () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-logs-'));
  /** What the Collector has passed on. */
  const collected = (signal: 'logs' | 'traces') => join(folder, `${signal}.json`);
  let engines: EngineSet;
  let platform: TestPlatform;
  let administrator: Login;
  let wire: Wire;

  beforeAll(async () => {
    engines = await engineSet(['opensearch', 'otelcol'], {
      settings: {
        OPENSEARCH_ELASTIC_PRODUCT_HEADER: '1',
        OTELCOL_CONFIG: join(WORKSPACE, 'docker', 'otelcol', 'config.yaml'),
        OTELCOL_HOST: '127.0.0.1',
        OTELCOL_LOGS_EXPORTERS: '[elasticsearch, file/logs]',
        OTELCOL_LOGS_FILE: collected('logs'),
        OTELCOL_TRACES_EXPORTERS: '[file/traces]',
        OTELCOL_TRACES_FILE: collected('traces'),
        OTELCOL_KEEP_PERCENT: '100',
        OTELCOL_DECISION_WAIT: '1s',
      },
      settingsOf: ({ opensearch }) => ({ OTELCOL_LOGS_URL: `http://127.0.0.1:${opensearch}` }),
    });
    const { OTEL_EXPORTER_OTLP_ENDPOINT = '' } = engines.env;
    platform = await startPlatform({
      instances: { identity: 2 },
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT,
        LOG_LEVEL: 'debug',
        GATEWAY_ACCESS_LOG_SAMPLE: '1',
        GATEWAY_PRINCIPAL_LIMIT: '1000000',
      },
    });
    administrator = await platform.loginAsAdministrator();
    wire = new Wire(platform.gatewayUrl);
  }, ENGINES_START_MS);
  afterAll(async () => {
    wire.close();
    await platform.stop();
    await engines.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const search = async (query: object) => {
    const { OPENSEARCH_URL = '' } = engines.env;
    const answer = await fetch(`${OPENSEARCH_URL}/otel-logs/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ size: 100, query }),
    });
    const { hits } = (await answer.json()) as {
      hits?: { hits: { _source: Record<string, unknown> }[] };
    };
    return (hits?.hits ?? []).map(({ _source: source }) => source);
  };

  it('a refused request is found by the trace id of its answer, in each process it came through', async () => {
    const user = await platform.registerAndLogin();
    const refused = await user.client.post('/v1/users', { email: 'x@example.com' });
    expect(refused.status).toBe(403);
    const traceId = refused.headers.get('traceparent')?.split('-')[1] ?? 'none';
    const found = await eventually(
      async () => {
        const lines = await search({ match: { TraceId: traceId } });
        expect(lines.map((line) => line['Resource.service.name'])).toContain('gateway');
        return lines;
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
    const [line] = linesOf(platform.logsOf('gateway'), traceId);
    expect(line).toMatchObject({ code: 'PERMISSION_DENIED', status: 403 });
    expect(found).toContainEqual(
      expect.objectContaining({
        '@timestamp': expect.stringContaining(String(line?.time).slice(0, -1)) as string,
        SeverityText: line?.level,
        TraceId: traceId,
        SpanId: line?.span_id,
        Body: line?.msg,
        'Resource.service.name': 'gateway',
        'Resource.service.version': line?.version,
        'Resource.service.instance.id': line?.instance,
        'Attributes.request_id': refused.headers.get('x-request-id'),
        'Attributes.principal_id': user.userId,
        'Attributes.code': 'PERMISSION_DENIED',
        'Attributes.status': 403,
        'Attributes.route': '/v1/users',
      }),
    );

    // One that reached a service is found in both.
    const own = await user.client.get('/v1/users/me');
    const ownTrace = own.headers.get('traceparent')?.split('-')[1] ?? 'none';
    await eventually(
      async () => {
        const lines = await search({ match: { TraceId: ownTrace } });
        const services = lines.map((each) => each['Resource.service.name']);
        expect(services).toEqual(expect.arrayContaining(['gateway', 'identity']));
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
  });

  it('the level of a service is changed in all its instances through the gateway, and that is on record', async () => {
    for (const [service, count] of [
      ['identity', 2],
      ['gateway', 1],
    ] as const) {
      const path = `/v1/${service}/log-level`;
      const { client } = administrator;
      const changed = await client.put<Levels>(path, { level: 'warn', for_seconds: 60 });
      expect(changed.status).toBe(200);
      expect(changed.body.instances).toHaveLength(count);
      for (const instance of changed.body.instances) {
        expect(instance).toMatchObject({ level: 'warn', problem: null });
      }
      const shown = await client.get<Levels>(path);
      expect(shown.body.instances.map(({ level }) => level)).toEqual(Array(count).fill('warn'));
      const restored = await client.delete<Levels>(path);
      expect(restored.body.instances.map(({ level }) => level)).toEqual(Array(count).fill('debug'));
      const [entry] = await auditEntries(client, { action: `${service}.log-level.update` });
      expect(entry).toMatchObject({
        actor: { id: platform.administrator.userId },
        target: { type: 'service', id: service },
        outcome: 'success',
      });
      const user = await platform.registerAndLogin();
      expect((await user.client.put(path, { level: 'debug' })).status).toBe(403);
      expect((await platform.client().put(path, { level: 'debug' })).status).toBe(401);
    }
  });

  it('no word of a header or a body is in a line, no secret in an answer or a span, and a line stays a line', async () => {
    // The gateway asks each service for its part, and goes without one that is slow to answer.
    const document = await eventually(
      async () => {
        const read = await ApiDocument.read(platform.gatewayUrl);
        const paths = read.operations.map(({ path }) => path);
        expect(paths).toEqual(expect.arrayContaining(OF_EACH_SERVICE));
        return read;
      },
      { timeoutMs: 60_000, intervalMs: 500 },
    );
    const administrators = await Administrators.make(platform, 4);
    const { accessToken: spare } = await platform.registerAndLogin();
    const canaries = new Canaries();
    const requests = document.operations.flatMap((each) =>
      canaryRequests(document, each, canaries),
    );
    expect(requests.length).toBeGreaterThan(300);
    // These end the session that they come with.
    const endsSession = ({ name }: CanaryRequest) => /auth\/(logout|sessions: )/.test(name);

    const answered: string[] = [];
    const unknown = new Set<string>();
    const send = async (one: CanaryRequest) => {
      const { name, authenticated, headers, ...request } = one;
      const token = endsSession(one) ? spare : administrators.nextToken;
      const answer = await wire.send({
        ...request,
        headers: {
          'x-forwarded-for': randomAddress(),
          ...(authenticated && { authorization: `Bearer ${token}` }),
          ...headers,
        },
      });
      if (authenticated && answer.status === 401) unknown.add(name.split(':')[0] ?? '');
      const text = `${answer.text} ${JSON.stringify(answer.headers)}`;
      for (const where of canaries.in(text, { secretOnly: true })) {
        answered.push(`${name} answered ${answer.status} with ${where}`);
      }
    };
    const left = [...requests];
    await Promise.all(
      Array.from({ length: IN_PARALLEL }, async () => {
        for (let next = left.shift(); next; next = left.shift()) await send(next);
      }),
    );
    // Whoever was sent with a token was known by it, but where the body is the credential or the session had ended.
    const credential = /\/v1\/auth\/(login|refresh|logout|sessions)$/;
    expect([...unknown].filter((operation) => !credential.test(operation))).toEqual([]);
    expect(answered).toEqual([]);

    const logged = SERVICES.flatMap((service) =>
      canaries.in(platform.logsOf(service)).map((where) => `${service}: ${where}`),
    );
    expect(logged).toEqual([]);
    for (const service of SERVICES) {
      const lines = platform.logsOf(service).split('\n').slice(0, -1);
      expect(lines.length).toBeGreaterThan(10);
      for (const line of lines) {
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        const { time, level, version, instance, msg, ...rest } = JSON.parse(line) as Line;
        expect([time, level, rest.service]).toEqual([
          expect.stringMatching(/^\d{4}-.*Z$/),
          expect.stringMatching(/^(trace|debug|info|warn|error)$/),
          service,
        ]);
        for (const member of [version, instance, msg]) expect(typeof member).toBe('string');
      }
    }

    // All that was sent has come by now: the last request is in both files.
    const last = await administrator.client.get('/v1/users/me');
    const trace = last.headers.get('traceparent')?.split('-')[1] ?? 'none';
    const passedOn = await eventually(
      () => {
        const texts = [collected('logs'), collected('traces')].map((file) =>
          readFileSync(file, 'utf8'),
        );
        for (const text of texts) expect(text.includes(trace)).toBe(true);
        return texts;
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
    const [lines = '', spans = ''] = passedOn;
    expect(canaries.in(lines)).toEqual([]);
    expect(canaries.in(spans, { secretOnly: true })).toEqual([]);
  });
});
