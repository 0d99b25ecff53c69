import { Logger } from '@nestjs/common';
import {
  type Counter,
  type Metric,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

export type MetricsFormat = 'text' | 'openmetrics';

type Data = MetricObjectWithValues<MetricValue<string>>;

/** How long a scrape waits for one metric. Prometheus itself gives up after 10 s. */
const COLLECT_TIMEOUT_MS = 1_000;
const SAY_EVERY_MS = 60_000;

export interface Scraped {
  contentType: string;
  body: string;
}

/**
 * The text of a scrape. A metric that cannot be read, or not in time, is left out of it, counted and logged: what an
 * operator needs when something is broken must not break with it.
 *
 * Each metric is read by itself and written from what was read: prom-client's `register.metrics()` fails as a whole where
 * one metric does, and drops `_total` from the names of registered counters for good once OpenMetrics was asked for.
 */
export class Exposition {
  private readonly logger = new Logger('Metrics');
  /** Being read since an earlier scrape: not asked again before it has answered. */
  private readonly reading = new WeakMap<object, Promise<Data>>();
  private saidAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly registry: { getMetricsAsArray(): unknown[] },
    /** Counts metrics that were left out. */
    private readonly failures: Pick<Counter, 'inc'>,
    private readonly timeoutMs = COLLECT_TIMEOUT_MS,
  ) {}

  async scrape(format: MetricsFormat): Promise<Scraped> {
    const timeout = deadline(this.timeoutMs);
    const metrics = this.registry.getMetricsAsArray() as Metric[];
    const read = await Promise.all(metrics.map((metric) => this.readInTime(metric, timeout)));
    timeout.cancel();
    const { OPENMETRICS_CONTENT_TYPE: openmetrics, PROMETHEUS_CONTENT_TYPE: text } = Registry;
    const writer = new Registry<typeof openmetrics | typeof text>();
    writer.setContentType(format === 'openmetrics' ? openmetrics : text);
    for (const data of read) if (data !== undefined) writer.registerMetric(written(data, format));
    return { contentType: writer.contentType, body: await writer.metrics() };
  }

  private async readInTime(metric: Metric, timeout: Deadline): Promise<Data | undefined> {
    try {
      return await Promise.race([this.read(metric), timeout.passed]);
    } catch (error) {
      this.failures.inc();
      this.say(metric, error);
      return undefined;
    }
  }

  private read(metric: Metric): Promise<Data> {
    const pending = this.reading.get(metric);
    if (pending !== undefined) return pending;
    const reading = (metric.get() as Promise<Data>).finally(() => this.reading.delete(metric));
    this.reading.set(metric, reading);
    // Nobody may be waiting for it any more when it fails.
    reading.catch(() => undefined);
    return reading;
  }

  private say(metric: Metric, error: unknown): void {
    const now = performance.now();
    if (now - this.saidAt < SAY_EVERY_MS) return;
    this.saidAt = now;
    const { name } = metric as unknown as { name: string };
    this.logger.warn({ err: error, metric: name }, 'a metric could not be read for a scrape');
  }
}

/** A metric that is what was read. OpenMetrics names a counter without `_total`, and its samples with it. */
function written(data: Data, format: MetricsFormat): Metric {
  const isCounter = String(data.type) === 'counter';
  const name = format === 'openmetrics' && isCounter ? data.name.replace(/_total$/, '') : data.name;
  const { type } = data;
  return { name, type, get: () => Promise.resolve({ ...data, name }) } as unknown as Metric;
}

interface Deadline {
  passed: Promise<never>;
  cancel(): void;
}

function deadline(ms: number): Deadline {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${ms} ms`)), ms);
  });
  passed.catch(() => undefined);
  return { passed, cancel: () => clearTimeout(timer) };
}
