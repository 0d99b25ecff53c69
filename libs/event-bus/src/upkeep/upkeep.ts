import { Injectable, Logger } from '@nestjs/common';

import { EventBroker } from '../broker/event-broker.ts';
import { Wake } from '../broker/wake.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventBusMetrics } from '../config/event-bus.metrics.ts';
import { BegunTriesStore } from '../consume/begun-tries.store.ts';
import { EventConsumers } from '../consume/event-consumers.ts';
import { HeldEventsStore } from '../consume/held-events.store.ts';
import { InboxStore } from '../consume/inbox.store.ts';
import { OutboxRelay } from '../outbox/outbox-relay.ts';
import { OutboxStore } from '../outbox/outbox.store.ts';

const MEASURE_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 10 * 60_000;
const PRUNE_ROWS = 5_000;
const HOUR_MS = 3_600_000;

/** Measures what stands in tables and deletes what is past its time. Each instance does; that is harmless. */
@Injectable()
export class Upkeep {
  private readonly logger = new Logger(Upkeep.name);
  private readonly wake = new Wake();
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly broker: EventBroker,
    private readonly relay: OutboxRelay,
    private readonly outbox: OutboxStore,
    private readonly inbox: InboxStore,
    private readonly held: HeldEventsStore,
    private readonly begunTries: BegunTriesStore,
    private readonly consumers: EventConsumers,
    private readonly config: EventBusConfig,
    private readonly metrics: EventBusMetrics,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.ring();
    await this.running;
  }

  async measure(): Promise<void> {
    for (const { channel, depth, oldestSeconds } of await this.outbox.depths(this.relay.channels)) {
      this.metrics.outboxDepth.set({ channel }, depth);
      this.metrics.outboxOldest.set({ channel }, oldestSeconds);
    }
    this.metrics.held(await this.held.counts());
    this.consumers.measureLag();
  }

  async prune(): Promise<void> {
    await this.broker.prune(this.config.EVENT_RETENTION_HOURS * HOUR_MS);
    const age = this.config.EVENT_INBOX_RETENTION_HOURS * HOUR_MS;
    while (!this.isStopping() && (await this.inbox.prune(age, PRUNE_ROWS)));
    await this.begunTries.prune(age);
  }

  private async run(): Promise<void> {
    let pruned = -Infinity;
    while (!this.isStopping()) {
      try {
        await this.measure();
        if (performance.now() - pruned > PRUNE_EVERY_MS) {
          pruned = performance.now();
          await this.prune();
        }
      } catch (error) {
        this.metrics.unknown(this.relay.channels);
        this.logger.warn({ err: error }, 'The bus could not be measured or pruned');
      }
      await this.wake.sleep(MEASURE_EVERY_MS);
    }
  }

  private isStopping(): boolean {
    return this.stopping;
  }
}
