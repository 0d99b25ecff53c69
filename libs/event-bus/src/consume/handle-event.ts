import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import type { EventHandler } from './consumer.ts';
import { EventSpans } from '../trace/event-spans.ts';
import { eventContext } from './event-context.ts';

/** A handler did not end in time; what it did in its transaction is rolled back. */
export class HandlerTimeout extends Error {
  override readonly name = 'HandlerTimeout';
}

interface Run {
  type: string;
  began: number;
}

/**
 * Runs handlers in the context of their event. A handler whose time is up is told by the context's signal and has failed,
 * but is waited for: left alone, it would go on outside of the transaction that it believes to be in. One that never
 * ends turns liveness red.
 */
@Injectable()
export class HandleEvent {
  private readonly running = new Set<Run>();

  constructor(
    private readonly config: EventBusConfig,
    private readonly spans: EventSpans,
  ) {}

  /** @throws what the handler throws, or HandlerTimeout */
  async run(handler: EventHandler, event: CloudEvent, consumer: string): Promise<void> {
    const timeoutMs = this.config.EVENT_HANDLER_TIMEOUT_MS;
    const run = { type: event.type, began: performance.now() };
    const context = { ...eventContext(event, timeoutMs), signal: AbortSignal.timeout(timeoutMs) };
    this.running.add(run);
    try {
      await this.spans.processing(context, event, consumer, () => handler(event));
    } finally {
      this.running.delete(run);
    }
    this.inTime(run.began, event.type);
  }

  /** @throws when a handler has not ended long after its time was up */
  checkAlive(): void {
    const limit = 2 * this.config.EVENT_HANDLER_TIMEOUT_MS;
    for (const { type, began } of this.running) {
      if (performance.now() - began > limit) throw new Error(`The handler of ${type} does not end`);
    }
  }

  /** @throws HandlerTimeout where a handler that began then has no time left */
  inTime(began: number, type: string): void {
    const timeoutMs = this.config.EVENT_HANDLER_TIMEOUT_MS;
    if (performance.now() - began > timeoutMs) {
      throw new HandlerTimeout(`${type} was not handled in ${timeoutMs} ms`);
    }
  }
}
