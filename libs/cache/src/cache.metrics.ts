import { Metrics, startAtZero } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

import { declaredCaches } from './declared-caches.ts';

const RESULTS = ['hit', 'miss', 'joined', 'bypass', 'unreadable'];
const OPERATIONS = [
  'get',
  'open',
  'close',
  'claim',
  'release',
  'put',
  'evict',
  'clear',
  'disconnect',
];

/** What a service's caches tell of themselves; `cache` is the cache's name. */
@Injectable()
export class CacheMetrics {
  readonly requests;
  readonly loads;
  readonly loadDuration;
  readonly fleetWaits;
  readonly writes;
  readonly evictions;
  readonly storeErrors;
  readonly pendingEvictions;

  constructor(metrics: Metrics) {
    this.requests = metrics.counter(
      'cache_requests_total',
      'Reads: hit, miss (loaded), joined (waited for the load of another), bypass (inside a transaction), unreadable (then loaded)',
      ['cache', 'result'],
    );
    this.loads = metrics.counter('cache_loads_total', 'Loads from behind the cache, by outcome', [
      'cache',
      'outcome',
    ]);
    this.loadDuration = metrics.histogram(
      'cache_load_duration_seconds',
      'How long loads from behind the cache took',
      ['cache'],
    );
    this.fleetWaits = metrics.counter(
      'cache_fleet_waits_total',
      'Waits for the load of another instance: found (its value came), turn (it gave up), tired (it took too long)',
      ['cache', 'outcome'],
    );
    this.writes = metrics.counter(
      'cache_writes_total',
      'Values offered to the store, by kind (fill, through) and what became of them',
      ['cache', 'kind', 'outcome'],
    );
    this.evictions = metrics.counter('cache_evictions_total', 'Keys evicted by a change', [
      'cache',
    ]);
    this.storeErrors = metrics.counter(
      'cache_store_errors_total',
      'Operations the store failed or did not answer in time',
      { operation: OPERATIONS },
    );
    this.pendingEvictions = metrics.gauge(
      'cache_pending_evictions',
      'Keys whose eviction the store has not taken yet; their reads go around it',
    );
    const cache = declaredCaches();
    startAtZero(this.requests, { cache, result: RESULTS });
    startAtZero(this.loads, { cache, outcome: ['ok', 'error'] });
    startAtZero(this.evictions, { cache });
  }
}
