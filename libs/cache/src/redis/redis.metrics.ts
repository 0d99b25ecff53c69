import type { Metrics } from '@gatehouse/kernel';

/** The state of this process's connection to Redis. Made only where there is one. */
export class RedisMetrics {
  readonly available;
  readonly losses;
  readonly failures;

  constructor(metrics: Metrics) {
    this.available = metrics.gauge('redis_available', 'Whether Redis answers this process: 1 or 0');
    this.losses = metrics.counter('redis_losses_total', 'How often Redis was lost');
    this.failures = metrics.counter(
      'redis_command_failures_total',
      'Commands without a result: away (not sent), timeout, or error (lost on the way, or refused)',
      { reason: ['away', 'timeout', 'error'] },
    );
  }
}
