import { Database } from '@gatehouse/persistence';
import { Injectable, Logger } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import type { Delivery } from './delivery.ts';
import { CountedTries } from './counted-tries.ts';
import { type Arrival, GroupTaker, type Taken } from './group-taker.ts';
import { HandleInTransaction } from './handle-in-transaction.ts';
import { HeldEventsStore } from './held-events.store.ts';
import { InboxStore } from './inbox.store.ts';
import { Releaser } from './releaser.ts';
import { verdictOf } from './verdict.ts';

/**
 * Takes an event for a consumer: once it resolves, the event is in effect or durably held, and its offset may be
 * committed. A first try that fails does not keep others waiting: the event goes to its key's line, where the Releaser
 * tries it again, and the key's later events go behind it.
 */
@Injectable()
export class TakeEvent extends GroupTaker {
  private readonly logger = new Logger(TakeEvent.name);

  constructor(
    private readonly database: Database,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly handle: HandleInTransaction,
    private readonly releaser: Releaser,
    private readonly counted: CountedTries,
    private readonly config: EventBusConfig,
    private readonly metrics: EventBusMetrics,
  ) {
    super();
  }

  /**
   * A try that is counted before it begins, for a record that may have been in hand when a process ended.
   * @throws as `take`
   */
  override takeCounted(arrival: Arrival): Promise<Taken> {
    const { delivery } = arrival;
    return this.counted.take(
      delivery,
      () => this.take(arrival),
      (error, tries) => this.hold(delivery, error, tries),
    );
  }

  /** @throws when the database does not take it: the event must be delivered again */
  override async take({ delivery, event, handler }: Arrival): Promise<Taken> {
    const ended = this.metrics.duration.startTimer({ consumer: delivery.consumer });
    try {
      return await this.handle.run<Taken>(delivery.consumer, async () => {
        const { held, fresh } = await this.inbox.enter(delivery);
        if (held > 0) return { answer: (await this.held.append(delivery)) ? 'held' : 'duplicate' };
        if (!fresh) return { answer: 'duplicate' };
        return { handler, event, after: () => Promise.resolve('handled') };
      });
    } catch (error) {
      return await this.hold(delivery, error);
    } finally {
      ended();
    }
  }

  /** After tries that failed. Another instance may have taken the event, or parked its key, meanwhile. */
  override async hold(delivery: Delivery, error: unknown, tries = 1): Promise<Taken> {
    const { consumer, eventId, eventType, key } = delivery;
    const verdict = verdictOf(error, tries, this.config);
    const taken = await this.database.transaction(async () => {
      const first = (await this.inbox.lock(delivery)) === 0;
      const appended = await this.held.append(delivery, first ? { ...verdict, tries } : undefined);
      return appended ? 'held' : 'duplicate';
    });
    this.metrics.failed.inc({ consumer });
    this.logger.warn(
      { err: error, consumer, event_id: eventId, event_type: eventType, key, next: verdict.state },
      'An event was not handled',
    );
    if (verdict.state === 'pending') this.releaser.wakeIn(verdict.delayMs);
    return taken;
  }
}
