import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';

import { Exposition } from './exposition.ts';
import { SeriesHistogram } from './series-histogram.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

let registry: Registry;
let failures: Counter;
let exposition: Exposition;
beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  registry = new Registry();
  failures = new Counter({ name: 'failures_total', help: 'left out', registers: [registry] });
  exposition = new Exposition(registry, failures, 50);
});
afterEach(() => jest.restoreAllMocks());

const gauge = (name: string, collect: () => void | Promise<void>) =>
  new Gauge({ name, help: name, registers: [registry], collect });

describe('a scrape', () => {
  it('leaves out what cannot be read, shows the rest, and counts it', async () => {
    gauge('whole', function (this: Gauge) {
      this.set(7);
    });
    gauge('broken', () => {
      throw new Error('no database');
    });
    gauge('refused', () => Promise.reject(new Error('no database')));
    const { body } = await exposition.scrape('text');
    expect(body).toContain('\nwhole 7\n');
    expect(body).not.toMatch(/broken|refused/);
    expect((await failures.get()).values[0]?.value).toBe(2);
  });

  it('does not wait for what does not answer, nor ask it again before it has', async () => {
    let asked = 0;
    let answer: () => void = () => undefined;
    gauge('hanging', function (this: Gauge) {
      asked += 1;
      this.set(asked);
      return new Promise((resolve) => (answer = resolve));
    });
    for (let scrape = 0; scrape < 3; scrape++) {
      expect((await exposition.scrape('text')).body).not.toContain('hanging');
    }
    expect(asked).toBe(1);
    answer();
    expect((await exposition.scrape('text')).body).toContain('\nhanging 1\n');
  });

  it('in OpenMetrics leaves the names of counters as they are for the next one', async () => {
    const first = await exposition.scrape('text');
    const second = await exposition.scrape('openmetrics');
    expect(second.contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(second.body).toContain('# TYPE failures counter\nfailures_total 0\n');
    expect(second.body).toMatch(/\n# EOF\n$/);
    expect((await exposition.scrape('text')).body).toBe(first.body);
    expect(first.body).toContain('# TYPE failures_total counter\nfailures_total 0\n');
  });
});

describe('a series histogram', () => {
  const histogram = () => {
    const made = new SeriesHistogram('took_seconds', 'took', ['route'], [0.1, 1]);
    registry.registerMetric(made as never);
    return made;
  };

  it('is a histogram: cumulative buckets, sum and count', async () => {
    const series = histogram().series('/v1/{id}');
    for (const seconds of [0.05, 0.1, 0.5, 3]) series.observe(seconds);
    const { body } = await exposition.scrape('text');
    expect(body.split('\n').filter((line) => line.startsWith('took'))).toEqual([
      'took_seconds_bucket{route="/v1/{id}",le="0.1"} 2',
      'took_seconds_bucket{route="/v1/{id}",le="1"} 3',
      'took_seconds_bucket{route="/v1/{id}",le="+Inf"} 4',
      'took_seconds_sum{route="/v1/{id}"} 3.65',
      'took_seconds_count{route="/v1/{id}"} 4',
    ]);
  });

  it('is one series for the same values', () => {
    const made = histogram();
    expect(made.series('a')).toBe(made.series('a'));
    expect(made.series('a')).not.toBe(made.series('b'));
  });

  it('names the latest traced observation of a bucket, in OpenMetrics alone', async () => {
    const series = histogram().series('/');
    series.observe(0.2, 'f'.repeat(32));
    series.observe(0.3, TRACE);
    series.observe(0.4);
    series.observe(0.05);
    const { body } = await exposition.scrape('openmetrics');
    const exemplars = body.split('\n').filter((line) => line.includes(' # '));
    expect(exemplars).toEqual([
      expect.stringMatching(
        new RegExp(
          `^took_seconds_bucket\\{route="/",le="1"\\} 4 # \\{trace_id="${TRACE}"\\} 0\\.3 \\d+(\\.\\d+)?$`,
        ),
      ),
    ]);
    expect((await exposition.scrape('text')).body).not.toContain(TRACE);
  });
});
