import type { MetricsFormat } from './exposition.ts';

/**
 * The format asked for by an `Accept` field (RFC 9110 section 12.5.1): OpenMetrics where it is named and nothing textual is
 * liked better, else the Prometheus text format.
 */
export function negotiateFormat(accept: string | undefined): MetricsFormat {
  let openmetrics = 0;
  let text = 0;
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = qualityOf(parameters);
    if (type === 'application/openmetrics-text' && isOurVersion(parameters)) {
      openmetrics = Math.max(openmetrics, quality);
    } else if (type === 'text/plain') text = Math.max(text, quality);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'text';
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}

function isOurVersion(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith('version='));
  return version === undefined || version === 'version=1.0.0';
}
