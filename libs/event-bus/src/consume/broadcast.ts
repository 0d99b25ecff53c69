import { setTimeout as sleep } from 'node:timers/promises';

import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Injectable, Logger } from '@nestjs/common';

import { backoff } from '../broker/backoff.ts';
import type { BrokerRecord } from '../broker/event-broker.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import type { Consumer, EventHandler } from './consumer.ts';
import { HandleEvent } from './handle-event.ts';
import { NotRetryable } from './not-retryable.ts';

/** Tries come close together: what an instance keeps in memory is of use now or not at all. */
const TRIES = 3;
const PAUSE_MS = 50;

/** Handles events that every instance sees: no inbox, no dead letters. What fails is counted and dropped. */
@Injectable()
export class Broadcast {
  private readonly logger = new Logger(Broadcast.name);

  constructor(
    private readonly handle: HandleEvent,
    private readonly config: EventBusConfig,
    private readonly metrics: EventBusMetrics,
  ) {}

  async take(
    consumer: Consumer,
    record: BrokerRecord,
    event: CloudEvent,
    handler: EventHandler,
  ): Promise<'handled' | 'dropped'> {
    for (let attempt = 0; ; attempt += 1) {
      const ended = this.metrics.duration.startTimer({ consumer: consumer.name });
      try {
        if (attempt > 0) this.metrics.retried.inc({ consumer: consumer.name });
        await this.handle.run(handler, event, consumer.name);
        return 'handled';
      } catch (error) {
        this.metrics.failed.inc({ consumer: consumer.name });
        if (attempt + 1 >= TRIES || error instanceof NotRetryable) {
          return this.drop(consumer, record, error);
        }
      } finally {
        ended();
      }
      await sleep(backoff(attempt, PAUSE_MS, this.config.EVENT_RETRY_MAX_MS));
    }
  }

  drop(consumer: Consumer, record: BrokerRecord, error: unknown): 'dropped' {
    const { topic, partition, key } = record;
    this.logger.error(
      {
        err: error,
        consumer: consumer.name,
        topic,
        partition,
        offset: record.offset.toString(),
        key,
      },
      'A broadcast event was dropped',
    );
    return 'dropped';
  }
}
