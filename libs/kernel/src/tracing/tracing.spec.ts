import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { NotAuthenticated } from '@gatehouse/contracts-platform';
import { SpanKind } from '@opentelemetry/api';
import type { Counter } from 'prom-client';

import { ConfigError } from '../config/config-error.ts';
import { runInScope } from '../config/process-scope.ts';
import { newRequestContext, requestContext } from '../context/request-context.ts';
import { childSpan, newTrace } from '../context/trace-context.ts';
import { Lifecycle } from '../lifecycle/lifecycle.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { ServiceInfo } from '../service/service-info.ts';
import { inSpan } from './in-span.ts';
import { spanMetrics, Tracing } from './tracing.ts';
import { headRatio, TracingConfig, tracesUrl } from './tracing.config.ts';

const SERVICE = { name: 'probe', version: '1.2.3', instanceId: 'i-1' } as unknown as ServiceInfo;

const configOf = (env: Record<string, string>) =>
  runInScope({ env, packageDir: '.' }, () => new TracingConfig());

/** In the place of a Collector: takes what it is sent, or keeps its sender waiting. */
class Receiver {
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  private constructor(
    private readonly server: Server,
    private readonly answers: boolean,
  ) {}

  static async start({ answers = true } = {}): Promise<Receiver> {
    const receiver = new Receiver(createServer(), answers);
    receiver.server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        receiver.requests.push({ path, headers, body: Buffer.concat(chunks) });
        if (receiver.answers) response.end();
      });
    });
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** By `reason`, or under the empty name where there is none. */
const countOf = async <L extends string>(metric: Counter<L>) => {
  const { values } = await metric.get();
  return Object.fromEntries(
    values.map(({ value, labels }) => [(labels as { reason?: string }).reason ?? '', value]),
  );
};

describe('tracing', () => {
  const receivers: Receiver[] = [];
  const metrics = new Metrics();
  const { exported, dropped } = spanMetrics(metrics);
  beforeEach(() => {
    exported.reset();
    dropped.reset();
  });
  afterEach(() => {
    for (const receiver of receivers.splice(0)) receiver.stop();
  });

  const start = async (env: Record<string, string> = {}, options?: { answers: boolean }) => {
    const receiver = await Receiver.start(options);
    receivers.push(receiver);
    const lifecycle = new Lifecycle();
    const config = configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...env });
    const tracing = await Tracing.start(config, SERVICE, metrics, lifecycle);
    return { receiver, lifecycle, tracing };
  };
  const record = (tracing: Tracing, name = 'work') =>
    tracing.begin(newTrace(true), name, { kind: SpanKind.SERVER })?.end();

  it.each([
    ['without an endpoint', {}],
    ['disabled', { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }],
    [
      'without an exporter',
      { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    ],
  ])('is off %s: nothing is decided, nothing begun', async (_name, env) => {
    const tracing = await Tracing.start(configOf(env), SERVICE, metrics, new Lifecycle());
    expect(tracing.on).toBe(false);
    expect(tracing.decide()).toBe(false);
    expect(record(tracing)).toBeUndefined();
  });

  it('sends what it has to the endpoint before the process ends, with its headers and as whom it is told', async () => {
    const { receiver, lifecycle, tracing } = await start({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20shared,x-a=1',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20own',
      OTEL_SERVICE_NAME: 'renamed',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=lab%201',
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    });
    record(tracing, 'the only span');
    await lifecycle.stop();
    const [request] = receiver.requests;
    expect(receiver.requests).toHaveLength(1);
    expect(request?.path).toBe('/v1/traces');
    expect(request?.headers).toMatchObject({ authorization: 'Bearer own', 'x-a': '1' });
    for (const text of ['the only span', 'renamed', 'lab 1', 'i-1', '1.2.3']) {
      expect(request?.body.includes(text)).toBe(true);
    }
    expect(request?.body.includes('probe')).toBe(false);
    expect(await countOf(exported)).toEqual({ '': 1 });
  });

  it('holds a bounded number of spans for a Collector that does not answer, counts the rest, and waits for nobody', async () => {
    const { lifecycle, tracing } = await start(
      {
        OTEL_BSP_MAX_QUEUE_SIZE: '1000',
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '100',
        OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
      },
      { answers: false },
    );
    for (let n = 0; n < 5_000; n++) record(tracing);
    // One batch is on its way, a thousand wait.
    expect(await countOf(dropped)).toMatchObject({ queue_full: 3_900 });
    const began = performance.now();
    await lifecycle.stop();
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('counts what a Collector refuses', async () => {
    const { receiver, lifecycle, tracing } = await start({ OTEL_EXPORTER_OTLP_TIMEOUT: '500' });
    receiver.stop();
    record(tracing);
    await lifecycle.stop();
    expect(await countOf(dropped)).toMatchObject({ export_failed: 1 });
  });

  it('records work under the current span, and none where there is none', async () => {
    const { receiver, lifecycle, tracing } = await start();
    await inSpan('not recorded', {}, (span) => {
      expect(span).toBeUndefined();
      return Promise.resolve();
    });
    const context = newRequestContext();
    context.trace = { ...newTrace(true) };
    tracing.enter(context, 'outer', { kind: SpanKind.SERVER }, false);
    await requestContext.run(context, async () => {
      await expect(
        inSpan('inner', {}, () => {
          const within = requestContext.require();
          expect(within.trace).toMatchObject({
            traceId: context.trace.traceId,
            parentSpanId: context.trace.spanId,
          });
          expect(within.span?.trace).toBe(within.trace);
          return Promise.reject(new NotAuthenticated('said with a canary'));
        }),
      ).rejects.toThrow(NotAuthenticated);
    });
    context.span?.end();
    context.span?.end();
    await lifecycle.stop();
    const [{ body } = { body: Buffer.alloc(0) }] = receiver.requests;
    for (const text of ['outer', 'inner', 'UNAUTHENTICATED'])
      expect(body.includes(text)).toBe(true);
    for (const text of ['not recorded', 'canary']) expect(body.includes(text)).toBe(false);
    expect(await countOf(exported)).toEqual({ '': 2 });
  });

  describe('the flag of a caller', () => {
    const enter = async (env: Record<string, string>, sampled: boolean, believed: boolean) => {
      const { tracing } = await start(env);
      const context = newRequestContext({ trace: childSpan(newTrace(sampled)) });
      tracing.enter(context, 'work', {}, believed);
      expect(context.span === undefined).toBe(!context.trace.sampled);
      return context.trace.sampled;
    };
    const NONE = { OTEL_TRACES_SAMPLER: 'always_off' };

    it('is followed where it is believed, whatever is sampled here', async () => {
      expect(await enter(NONE, true, true)).toBe(true);
      expect(await enter({}, false, true)).toBe(false);
    });

    it('counts for nothing where it is not', async () => {
      expect(await enter(NONE, true, false)).toBe(false);
      expect(await enter({}, false, false)).toBe(true);
    });
  });

  it.each([
    [{}, 1],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, 0.25],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' }, 0.01],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: '0.01' }, 1],
  ])('%j samples a share of %d', (env, ratio) => {
    expect(headRatio(configOf(env as Record<string, string>))).toBe(ratio);
  });

  it('takes the endpoint for traces as it is', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://shared:4318/base/',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own:4318/take',
    };
    expect(tracesUrl(configOf(env))).toBe('http://own:4318/take');
    expect(tracesUrl(configOf({ ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' }))).toBe(
      'http://shared:4318/base/v1/traces',
    );
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no pair'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
  ])('names %s where it is wrong', (name, value) => {
    expect(() => configOf({ [name]: value })).toThrow(ConfigError);
    expect(() => configOf({ [name]: value })).toThrow(name);
  });
});
