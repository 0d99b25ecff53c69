import { Injectable, Logger } from '@nestjs/common';

import { EventBusConfig } from '../config/event-bus.config.ts';
import type { Delivery } from './delivery.ts';
import { type Arrival, GroupTaker, type Taken } from './group-taker.ts';
import { TriesInPlace } from './tries-in-place.ts';

/**
 * Takes events in a service without a database: its offset is all that the broker keeps of an event.
 *
 * - At least once: what was in hand when a process ended, or a partition changed hands, is handled again. A handler must
 *   be idempotent; the event's id is the key of what it does outside.
 * - An event that fails is tried in its place, EVENT_MAX_ATTEMPTS times with growing pauses, while later events of its key
 *   and the partition's next batch wait, and holds one of the consumer's EVENT_CONCURRENCY places meanwhile. Then it is
 *   dropped, logged and counted: there is no dead letter to replay.
 * - One that ends its process is delivered again for ever: there is nowhere to count its tries.
 */
@Injectable()
export class TakeWithoutInbox extends GroupTaker {
  private readonly logger = new Logger(TakeWithoutInbox.name);

  constructor(
    private readonly tries: TriesInPlace,
    private readonly config: EventBusConfig,
  ) {
    super();
  }

  override async take({ delivery, event, handler, signal }: Arrival): Promise<Taken> {
    const { EVENT_MAX_ATTEMPTS, EVENT_RETRY_BASE_MS, EVENT_RETRY_MAX_MS } = this.config;
    try {
      await this.tries.run(delivery.consumer, event, handler, {
        tries: EVENT_MAX_ATTEMPTS,
        baseMs: EVENT_RETRY_BASE_MS,
        maxMs: EVENT_RETRY_MAX_MS,
        signal,
      });
      return 'handled';
    } catch (error) {
      // Not settled, so that the partition's next owner tries it.
      if (signal.aborted) throw error;
      return this.hold(delivery, error);
    }
  }

  override takeCounted(arrival: Arrival): Promise<Taken> {
    return this.take(arrival);
  }

  override hold({ consumer, eventId, eventType, key, topic, record }: Delivery, error: unknown) {
    this.logger.error(
      {
        err: error,
        consumer,
        event_id: eventId,
        event_type: eventType,
        key,
        topic,
        partition: record.partition,
        offset: record.offset,
      },
      'An event was given up: without a database there are no dead letters',
    );
    return Promise.resolve<Taken>('dropped');
  }
}
