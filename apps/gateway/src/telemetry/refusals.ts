import type { Metrics } from '@gatehouse/kernel';

/** What is asked about most: shown at 0 from the start. */
const USUAL = [
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'PERMISSION_DENIED',
  'RATE_LIMITED',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'PAYLOAD_TOO_LARGE',
  'VALIDATION_FAILED',
  'NOT_CANONICAL_PATH',
  'SERVICE_UNAVAILABLE',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_TIMEOUT',
  'INTERNAL_ERROR',
];

/** What the gateway itself refused, by the code of the problem. Codes are of classes: nobody outside makes one up. */
export class Refusals {
  private readonly counts = new Map(USUAL.map((code) => [code, 0]));

  count(code: string): void {
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
  }

  publish(metrics: Metrics): void {
    metrics.readCounter(
      'gateway_refusals_total',
      'Requests that the gateway itself refused, by the code of the problem',
      ['code'],
      (show) => {
        for (const [code, count] of this.counts) show(count, { code });
      },
    );
  }
}
