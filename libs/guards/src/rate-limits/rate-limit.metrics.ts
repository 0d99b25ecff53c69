import type { Metrics } from '@gatehouse/kernel';

import type { RateLimitStore } from './rate-limit-store.ts';

/** What a store has decided, and what it holds, read when it is scraped. */
export function publishRateLimits(metrics: Metrics, store: RateLimitStore): void {
  const { kind, tally } = store;
  metrics.readCounter(
    'rate_limit_decisions_total',
    'Limits asked, by what was decided; fallback: counted in this process alone because the store could not be asked',
    ['result', 'store', 'fallback'],
    (show) => {
      const of = (result: string, fallback: string) => ({ result, store: kind, fallback });
      show(tally.allowed, of('allowed', 'false'));
      show(tally.refused, of('refused', 'false'));
      show(tally.allowedAlone, of('allowed', 'true'));
      show(tally.refusedAlone, of('refused', 'true'));
    },
  );
  metrics.readGauge(
    'rate_limit_counters',
    "Counters of rate limits in this process's memory",
    [],
    (show) => show(store.size),
  );
  metrics.readCounter(
    'rate_limit_counter_evictions_total',
    'Counters dropped while in use because there were too many keys',
    [],
    (show) => show(store.evictions),
  );
}
