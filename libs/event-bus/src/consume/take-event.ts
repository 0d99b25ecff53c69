import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Database } from '@gatehouse/persistence';
import { Injectable, Logger } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import type { EventHandler } from './consumer.ts';
import type { Delivery } from './delivery.ts';
import { CountedTries } from './counted-tries.ts';
import { HandleEvent } from './handle-event.ts';
import { HeldEventsStore } from './held-events.store.ts';
import { InboxStore } from './inbox.store.ts';
import { Releaser } from './releaser.ts';
import { verdictOf } from './verdict.ts';

/** `held`: durably put aside, to be handled in its turn. */
export type Taken = 'handled' | 'duplicate' | 'held';

/**
 * Takes an event for a consumer: once it resolves, the event is in effect or durably held, and its offset may be
 * committed. A first try that fails does not keep others waiting: the event goes to its key's line, where the Releaser
 * tries it again, and the key's later events go behind it.
 */
@Injectable()
export class TakeEvent {
  private readonly logger = new Logger(TakeEvent.name);

  constructor(
    private readonly database: Database,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly handle: HandleEvent,
    private readonly releaser: Releaser,
    private readonly counted: CountedTries,
    private readonly config: EventBusConfig,
    private readonly metrics: EventBusMetrics,
  ) {}

  /**
   * A try that is counted before it begins, for a record that may have been in hand when a process ended.
   * @throws as `take`
   */
  takeCounted(delivery: Delivery, event: CloudEvent, handler: EventHandler): Promise<Taken> {
    return this.counted.take(
      delivery,
      () => this.take(delivery, event, handler),
      (error, tries) => this.hold(delivery, error, tries),
    );
  }

  /** @throws when the database does not take it: the event must be delivered again */
  async take(delivery: Delivery, event: CloudEvent, handler: EventHandler): Promise<Taken> {
    const ended = this.metrics.duration.startTimer({ consumer: delivery.consumer });
    try {
      return await this.handle.inTransaction<Taken>(delivery.consumer, async () => {
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
  async hold(delivery: Delivery, error: unknown, tries = 1): Promise<Taken> {
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
