import { Injectable } from '@nestjs/common';

import { EventBroker } from '../broker/event-broker.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { BegunTriesStore } from '../consume/begun-tries.store.ts';
import { EventConsumers } from '../consume/event-consumers.ts';
import { HeldEventsStore } from '../consume/held-events.store.ts';
import { InboxStore } from '../consume/inbox.store.ts';
import { OutboxRelay } from '../outbox/outbox-relay.ts';
import { OutboxStore } from '../outbox/outbox.store.ts';
import { LogUpkeep } from './log-upkeep.ts';

const PRUNE_ROWS = 5_000;
const HOUR_MS = 3_600_000;

/** The same for what stands in the service's own tables besides. */
@Injectable()
export class Upkeep extends LogUpkeep {
  constructor(
    broker: EventBroker,
    consumers: EventConsumers,
    config: EventBusConfig,
    private readonly relay: OutboxRelay,
    private readonly outbox: OutboxStore,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly begunTries: BegunTriesStore,
    private readonly metrics: EventBusMetrics,
  ) {
    super(broker, consumers, config);
  }

  override async measure(): Promise<void> {
    for (const { channel, depth, oldestSeconds } of await this.outbox.depths(this.relay.channels)) {
      this.metrics.outboxDepth.set({ channel }, depth);
      this.metrics.outboxOldest.set({ channel }, oldestSeconds);
    }
    this.metrics.held(await this.held.counts());
    await super.measure();
  }

  override async prune(): Promise<void> {
    await super.prune();
    const age = this.config.EVENT_INBOX_RETENTION_HOURS * HOUR_MS;
    while (!this.isStopping() && (await this.inbox.prune(age, PRUNE_ROWS)));
    await this.begunTries.prune(age);
  }

  protected override unknown(): void {
    this.metrics.unknown(this.relay.channels);
  }
}
