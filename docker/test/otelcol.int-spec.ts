import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeWithEngines,
  engineSet,
  type EngineSet,
  ENGINES_START_MS,
  eventually,
} from '@gatehouse/testing';

const CONFIG = join(import.meta.dirname, '..', 'otelcol', 'config.yaml');
const NANO = 1_000_000n;

/** The Collector runs on the configuration that is shipped: one it does not understand would not start. */
describeWithEngines(['otelcol'], () => {
  let set: EngineSet;
  let file: string;
  beforeAll(async () => {
    file = join(mkdtempSync(join(tmpdir(), 'gatehouse-otelcol-')), 'traces.json');
    set = await engineSet(['otelcol'], {
      settings: {
        OTELCOL_CONFIG: CONFIG,
        OTELCOL_HOST: '127.0.0.1',
        OTELCOL_TRACES_EXPORTERS: '[file/traces]',
        OTELCOL_TRACES_FILE: file,
        OTELCOL_KEEP_PERCENT: '0',
        OTELCOL_SLOW_MS: '500',
        OTELCOL_DECISION_WAIT: '1s',
        OTELCOL_BATCH_TIMEOUT: '100ms',
      },
    });
  }, ENGINES_START_MS);
  afterAll(() => set.end());

  let last = 0;
  const send = async (of: {
    ms?: number;
    status?: number;
    code?: number;
    kept?: string;
  }): Promise<string> => {
    const traceId = String(++last).padStart(32, 'a');
    const start = BigInt(Date.now()) * NANO;
    const attributes = [
      { key: 'http.response.status_code', value: { intValue: String(of.code ?? 200) } },
      ...(of.kept === undefined
        ? []
        : [{ key: 'gatehouse.kept', value: { stringValue: of.kept } }]),
    ];
    const span = {
      traceId,
      spanId: String(last).padStart(16, 'b'),
      name: 'GET /v1/things',
      kind: 2,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + BigInt(of.ms ?? 1) * NANO),
      attributes,
      status: { code: of.status ?? 0 },
    };
    const url = `${set.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? ''}/v1/traces`;
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    expect(answer.status).toBe(200);
    return traceId;
  };

  it('keeps what failed, was slow or was refused, and of the rest a share', async () => {
    const dropped = [await send({}), await send({ ms: 400 }), await send({ code: 404 })];
    const kept = [
      await send({ status: 2 }),
      await send({ ms: 600 }),
      await send({ code: 401 }),
      await send({ code: 403 }),
      await send({ code: 429 }),
      await send({ kept: 'slow' }),
    ];
    const text = await eventually(
      () => {
        const written = readFileSync(file, 'utf8');
        const missing = kept.filter((trace) => !written.includes(trace));
        if (missing.length > 0) throw new Error(`not yet: ${missing.join(', ')}`);
        return written;
      },
      { timeoutMs: 30_000 },
    );
    // Judged in the order they came: those below the thresholds were judged before.
    for (const trace of dropped) expect(text).not.toContain(trace);
  });
});
