import { negotiateFormat } from './negotiate.ts';

describe('the format of a scrape', () => {
  it.each([
    // What Prometheus 2 and 3 send.
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.1',
    'application/openmetrics-text',
    'APPLICATION/OpenMetrics-Text; version=1.0.0 , text/plain;q=0.9',
  ])('is OpenMetrics for %s', (accept) => {
    expect(negotiateFormat(accept)).toBe('openmetrics');
  });

  it.each([
    undefined,
    '',
    '*/*',
    'text/html,*/*;q=0.8',
    'text/plain;version=0.0.4',
    'application/openmetrics-text;q=0.1,text/plain;q=0.5',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;q=7',
    'application/openmetrics-text;q=x',
    'application/openmetrics-text;version=2.0.0',
  ])('is text for %s', (accept) => {
    expect(negotiateFormat(accept)).toBe('text');
  });
});
