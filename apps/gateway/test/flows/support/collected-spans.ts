import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engineSet, type EngineSet, eventually } from '@gatehouse/testing';
import { workspaceFile } from './workspace-file.ts';

interface Value {
  stringValue?: string;
  intValue?: string;
  doubleValue?: number;
  boolValue?: boolean;
}
interface Pair {
  key: string;
  value: Value;
}
interface Sent {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  attributes?: Pair[];
  events?: { name: string; attributes?: Pair[] }[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number };
}
interface Line {
  resourceSpans: { resource: { attributes: Pair[] }; scopeSpans: { spans: Sent[] }[] }[];
}
type Attributes = Record<string, string | number | boolean | undefined>;

/** One span, as the Collector has it. */
export interface CollectedSpan {
  service: string;
  name: string;
  kind: string;
  traceId: string;
  id: string;
  parent: string;
  failed: boolean;
  attributes: Attributes;
  events: { name: string; attributes: Attributes }[];
  links: string[];
}

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

/** A real Collector on the project's own configuration, which keeps every trace and writes it to a file. */
export class CollectedSpans {
  private constructor(
    private readonly set: EngineSet,
    private readonly file: string,
  ) {}

  static async start(): Promise<CollectedSpans> {
    const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-spans-')), 'traces.json');
    const settings = {
      OTELCOL_CONFIG: workspaceFile('docker/otelcol/config.yaml'),
      OTELCOL_HOST: '127.0.0.1',
      OTELCOL_TRACES_EXPORTERS: '[file/traces]',
      OTELCOL_TRACES_FILE: file,
      OTELCOL_KEEP_PERCENT: '100',
      OTELCOL_DECISION_WAIT: '1s',
      OTELCOL_BATCH_TIMEOUT: '100ms',
    };
    return new CollectedSpans(await engineSet(['otelcol'], { settings }), file);
  }

  /** For services: everything is recorded and sent soon. */
  get env(): Record<string, string> {
    return { ...this.set.env, OTEL_BSP_SCHEDULE_DELAY: '100' };
  }

  /** Everything the Collector has written. */
  get text(): string {
    try {
      return readFileSync(this.file, 'utf8');
    } catch {
      return ''; // nothing yet
    }
  }

  /** All spans of a trace so far. */
  of(traceId: string): CollectedSpan[] {
    return this.text
      .split('\n')
      .filter((line) => line.includes(traceId))
      .flatMap((line) => (JSON.parse(line) as Line).resourceSpans)
      .flatMap(({ resource, scopeSpans }) => {
        const service = String(attributesOf(resource.attributes)['service.name']);
        return scopeSpans.flatMap(({ spans }) => spans.map((span) => read(service, span)));
      })
      .filter((span) => span.traceId === traceId);
  }

  /** The spans of a trace, once it has one of each of these names. */
  async whole(traceId: string, ...names: string[]): Promise<CollectedSpan[]> {
    return eventually(
      () => {
        const spans = this.of(traceId);
        const missing = names.filter((name) => !spans.some((span) => span.name === name));
        if (missing.length > 0) {
          throw new Error(`no ${missing.join(', ')} in:\n${treeOf(spans).join('\n')}`);
        }
        return spans;
      },
      { timeoutMs: 30_000 },
    );
  }

  kill(): Promise<void> {
    return this.set.kill('otelcol');
  }

  end(): Promise<void> {
    return this.set.end();
  }
}

/** One line a span, two spaces deeper than its parent: `authz server POST /v1/roles`. Siblings in order of their names. */
export function treeOf(spans: readonly CollectedSpan[]): string[] {
  const ids = new Set(spans.map(({ id }) => id));
  const lines = (parent: string | undefined, depth: number): string[] =>
    spans
      .filter((span) => (parent === undefined ? !ids.has(span.parent) : span.parent === parent))
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .flatMap((span) => [`${'  '.repeat(depth)}${nameOf(span)}`, ...lines(span.id, depth + 1)]);
  return lines(undefined, 0);
}

function nameOf({ service, kind, name }: CollectedSpan): string {
  return `${service} ${kind} ${name}`;
}

function read(service: string, span: Sent): CollectedSpan {
  return {
    service,
    name: span.name,
    kind: KINDS[span.kind] ?? '',
    traceId: span.traceId,
    id: span.spanId,
    parent: span.parentSpanId ?? '',
    failed: span.status?.code === 2,
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map((event) => ({
      name: event.name,
      attributes: attributesOf(event.attributes),
    })),
    links: (span.links ?? []).map((link) => `${link.traceId}/${link.spanId}`),
  };
}

function attributesOf(pairs: readonly Pair[] = []): Attributes {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.stringValue ??
        (value.intValue === undefined ? undefined : Number(value.intValue)) ??
        value.doubleValue ??
        value.boolValue,
    ]),
  );
}
