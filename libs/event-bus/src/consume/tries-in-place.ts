import { setTimeout as sleep } from 'node:timers/promises';

import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';

import { backoff } from '../broker/backoff.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import type { EventHandler } from './consumer.ts';
import { HandleEvent } from './handle-event.ts';
import { NotRetryable } from './not-retryable.ts';

export interface TryPolicy {
  /** The first included. */
  tries: number;
  /** The pause before the second try, doubled at each further one. */
  baseMs: number;
  maxMs: number;
  /** Aborted: no further try is begun. */
  signal?: AbortSignal;
}

/** Tries to handle an event while its record waits: where there is no table to put it aside in. */
@Injectable()
export class TriesInPlace {
  constructor(
    private readonly handle: HandleEvent,
    private readonly metrics: EventBusMetrics,
  ) {}

  /**
   * @throws what the last try threw
   * @throws the signal's reason where it was aborted between two tries
   */
  async run(
    consumer: string,
    event: CloudEvent,
    handler: EventHandler,
    { tries, baseMs, maxMs, signal }: TryPolicy,
  ): Promise<void> {
    for (let failed = 0; ; failed += 1) {
      const ended = this.metrics.duration.startTimer({ consumer });
      try {
        if (failed > 0) this.metrics.retried.inc({ consumer });
        await this.handle.run(handler, event, consumer);
        return;
      } catch (error) {
        this.metrics.failed.inc({ consumer });
        if (failed + 1 >= tries || error instanceof NotRetryable) throw error;
      } finally {
        ended();
      }
      // Rejects at once where it is aborted: with the signal's reason as its cause.
      await sleep(backoff(failed, baseMs, maxMs), undefined, signal && { signal });
    }
  }
}
