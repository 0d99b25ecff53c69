import { Injectable, Logger } from '@nestjs/common';

import { EventBroker } from '../broker/event-broker.ts';
import { Wake } from '../broker/wake.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import { EventConsumers } from '../consume/event-consumers.ts';

const MEASURE_EVERY_MS = 10_000;
const PRUNE_EVERY_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

/** Measures how far the consumers are and deletes what is past its time in the log. Each instance does; that is harmless. */
@Injectable()
export class LogUpkeep {
  private readonly logger = new Logger(LogUpkeep.name);
  private readonly wake = new Wake();
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly broker: EventBroker,
    private readonly consumers: EventConsumers,
    protected readonly config: EventBusConfig,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake.ring();
    await this.running;
  }

  measure(): Promise<void> {
    this.consumers.measureLag();
    return Promise.resolve();
  }

  async prune(): Promise<void> {
    await this.broker.prune(this.config.EVENT_RETENTION_HOURS * HOUR_MS);
  }

  /** What was measured last may be so no more. */
  protected unknown(): void {
    // What this class measures is in memory.
  }

  protected isStopping(): boolean {
    return this.stopping;
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
        this.unknown();
        this.logger.warn({ err: error }, 'The bus could not be measured or pruned');
      }
      await this.wake.sleep(MEASURE_EVERY_MS);
    }
  }
}
