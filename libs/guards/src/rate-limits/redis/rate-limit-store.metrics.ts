import type { Metrics } from '@gatehouse/kernel';

/** How the shared counters of rate limits are doing. */
export class RateLimitStoreMetrics {
  readonly fallback;
  readonly fallbackDecisions;

  constructor(metrics: Metrics) {
    this.fallback = metrics.gauge(
      'rate_limit_store_fallback',
      'Whether this process counts rate limits alone, because Redis cannot be asked: 1 or 0',
    );
    this.fallbackDecisions = metrics.counter(
      'rate_limit_store_fallback_decisions_total',
      'Calls that this process counted alone, because Redis could not be asked',
    );
  }
}
