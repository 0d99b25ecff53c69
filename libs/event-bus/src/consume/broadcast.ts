import type { CloudEvent } from '@gatehouse/contracts-platform';
import { Injectable, Logger } from '@nestjs/common';

import type { BrokerRecord } from '../broker/event-broker.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import type { Consumer, EventHandler } from './consumer.ts';
import { TriesInPlace } from './tries-in-place.ts';

/** Tries come close together: what an instance keeps in memory is of use now or not at all. */
const TRIES = 3;
const PAUSE_MS = 50;

/** Handles events that every instance sees: no inbox, no dead letters. What fails is counted and dropped. */
@Injectable()
export class Broadcast {
  private readonly logger = new Logger(Broadcast.name);

  constructor(
    private readonly tries: TriesInPlace,
    private readonly config: EventBusConfig,
  ) {}

  async take(
    consumer: Consumer,
    record: BrokerRecord,
    event: CloudEvent,
    handler: EventHandler,
  ): Promise<'handled' | 'dropped'> {
    const maxMs = this.config.EVENT_RETRY_MAX_MS;
    const policy = { tries: TRIES, baseMs: PAUSE_MS, maxMs };
    try {
      await this.tries.run(consumer.name, event, handler, policy);
      return 'handled';
    } catch (error) {
      return this.drop(consumer, record, error);
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
