import { register } from 'prom-client';

import { Metrics } from './metrics.ts';

const metrics = new Metrics();
afterAll(() => register.clear());

const shown = async (name: string) =>
  (await register.getSingleMetricAsString(name)).split('\n').slice(2);

describe('a counter whose label values are known', () => {
  it('is there at 0 for each combination, before anything has happened', async () => {
    metrics.counter('known_total', 'known', { operation: ['put', 'get'], result: ['ok', 'bad'] });
    expect(await shown('known_total')).toEqual([
      'known_total{operation="put",result="ok"} 0',
      'known_total{operation="put",result="bad"} 0',
      'known_total{operation="get",result="ok"} 0',
      'known_total{operation="get",result="bad"} 0',
    ]);
  });

  it('asked for again, keeps what it has counted', async () => {
    metrics.counter('again_total', 'again', { result: ['ok'] }).inc({ result: 'ok' }, 3);
    metrics.counter('again_total', 'again', { result: ['ok', 'bad'] });
    expect(await shown('again_total')).toEqual([
      'again_total{result="ok"} 3',
      'again_total{result="bad"} 0',
    ]);
  });
});

describe('what is read at a scrape', () => {
  it('shows what there is then, and forgets what has gone', async () => {
    const items = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    metrics.readGauge('items', 'items', ['name'], (show) => {
      for (const [name, value] of items) show(value, { name });
    });
    expect(await shown('items')).toEqual(['items{name="a"} 1', 'items{name="b"} 2']);
    items.delete('a');
    expect(await shown('items')).toEqual(['items{name="b"} 2']);
  });

  it('may be a count that is kept elsewhere', async () => {
    let hits = 4;
    metrics.readCounter('hits_total', 'hits', [], (show) => show(hits));
    expect(await shown('hits_total')).toEqual(['hits_total 4']);
    hits = 6;
    expect(await shown('hits_total')).toEqual(['hits_total 6']);
  });
});

it('refuses a name that another kind of metric has', () => {
  metrics.gauge('taken', 'taken');
  expect(() => metrics.counter('taken', 'taken')).toThrow('already been registered');
  expect(() => metrics.seriesHistogram('taken', 'taken', [])).toThrow('already been registered');
});
