import { Injectable, Logger } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import { BegunTriesStore } from './begun-tries.store.ts';
import type { Delivery } from './delivery.ts';
import { Gate } from './gate.ts';
import { NotRetryable } from './not-retryable.ts';

/** The process ended each time while the event was handled: killed, out of memory, `process.exit`. */
export class ProcessEnded extends NotRetryable {
  override readonly name = 'ProcessEnded';

  constructor(times: number) {
    super(`The process ended ${times} times while it handled the event`);
  }
}

/**
 * Counts tries before they begin, durably, where a process may have ended with one: else an event that kills its process
 * would be delivered again for ever. An event whose try did not end is tried alone among those that are counted, so that
 * the next end is no other's.
 */
@Injectable()
export class CountedTries {
  private readonly logger = new Logger(CountedTries.name);
  private readonly gate = new Gate();

  constructor(
    private readonly store: BegunTriesStore,
    private readonly config: EventBusConfig,
  ) {}

  /** Of a record that may have been in hand when its consumer's last process ended. */
  async take<T>(
    delivery: Delivery,
    work: () => Promise<T>,
    giveUp: (error: ProcessEnded, tries: number) => Promise<T>,
  ): Promise<T> {
    const unended = await this.store.count(delivery);
    return this.gate.enter({ alone: unended > 0 }, async () => {
      if (unended > 0) this.warn(delivery.consumer, delivery.eventId, unended);
      try {
        if (unended >= this.config.EVENT_MAX_ATTEMPTS) {
          return await giveUp(new ProcessEnded(unended), unended);
        }
        await this.store.begin(delivery);
        return await work();
      } finally {
        // It ended, however. Counted once too often does less harm than an event that is not taken.
        await this.store.end(delivery).catch(() => undefined);
      }
    });
  }

  /** The same for work that counts by itself. */
  among<T>(unended: number, work: () => Promise<T>): Promise<T> {
    return this.gate.enter({ alone: unended > 0 }, work);
  }

  private warn(consumer: string, eventId: string, unended: number): void {
    this.logger.warn(
      { consumer, event_id: eventId, tries: unended },
      'The process ended while it handled this event: it is tried alone',
    );
  }
}
