import { toDeadLetter } from '@gatehouse/kernel';

import { backoff } from '../broker/backoff.ts';
import type { EventBusConfig } from '../config/event-bus.config.ts';
import type { Verdict } from './held-events.store.ts';
import { NotRetryable } from './not-retryable.ts';

export type RetryPolicy = Pick<
  EventBusConfig,
  'EVENT_MAX_ATTEMPTS' | 'EVENT_RETRY_BASE_MS' | 'EVENT_RETRY_MAX_MS'
>;

/** What becomes of an event after so many tries that failed. */
export function verdictOf(error: unknown, failures: number, policy: RetryPolicy): Verdict {
  const dead = error instanceof NotRetryable || failures >= policy.EVENT_MAX_ATTEMPTS;
  return {
    state: dead ? 'dead' : 'pending',
    delayMs: backoff(failures - 1, policy.EVENT_RETRY_BASE_MS, policy.EVENT_RETRY_MAX_MS),
    reason: toDeadLetter(error),
  };
}
