import { Logger } from '@nestjs/common';

import { backoff } from '../broker/backoff.ts';
import { RecordRefused } from '../broker/event-broker.ts';
import { Wake } from '../broker/wake.ts';
import type { OutboxRow, OutboxStore } from './outbox.store.ts';
import type { RefusedRows } from './refused-rows.ts';

/**
 * Takes rows of one channel, in order of id. Resolves when all of them are durable at their destination; rejects, and all
 * of them come again. May be given a row twice, never a later row of a key before an earlier one. Rejects with
 * RecordRefused where one of them will never be taken: that one is put aside, and the others go on.
 */
export type OutboxSink = (rows: readonly OutboxRow[]) => Promise<void>;

export interface LaneOptions {
  batchSize: number;
  relayed: (rows: readonly OutboxRow[]) => void;
  refused: () => void;
  failed: () => void;
}

/**
 * Sends one partition of one channel while this process holds its lease. A sink that fails is tried again with back-off
 * and holds up nobody but its own partition.
 *
 * Two senders at once, one of them too late to know that it lost its lease, send the same rows, each in order: whoever
 * leaves repeats out keeps the order.
 */
export class RelayLane {
  private readonly logger = new Logger(RelayLane.name);
  private readonly wake = new Wake();
  private readonly pause = new Wake();
  private leasedUntil = 0;
  private stopping = false;
  private running: Promise<void> | undefined;
  private emptied: (() => void)[] = [];

  constructor(
    readonly channel: string,
    readonly partition: number,
    private readonly store: OutboxStore,
    private readonly sink: OutboxSink,
    private readonly refusedRows: RefusedRows,
    private readonly options: LaneOptions,
  ) {}

  get held(): boolean {
    return performance.now() < this.leasedUntil;
  }

  /** `until` on the clock of `performance.now()`. */
  hold(until: number): void {
    this.leasedUntil = until;
  }

  /** Called once, apart from any request: the loop keeps the context it is started in. */
  start(): void {
    this.running ??= this.run();
  }

  ring(): void {
    this.wake.ring();
  }

  /** Resolves when the partition was seen empty, is not ours, or its sink fails. */
  async drained(): Promise<void> {
    if (!this.held) return;
    await new Promise<void>((resolve) => {
      this.emptied.push(resolve);
      this.ring();
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.leasedUntil = 0;
    this.wake.ring();
    this.pause.ring();
    await this.running;
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.isStopping()) {
      await this.wake.sleep(60_000);
      try {
        while (this.held && (await this.sendOne())) failures = 0;
        this.endWaiting();
      } catch (error) {
        if (failures === 0) {
          this.logger.warn(
            { err: error, channel: this.channel, partition: this.partition },
            'The outbox could not be relayed and will be tried again',
          );
        }
        this.options.failed();
        this.endWaiting();
        await this.pause.sleep(backoff(failures, 100, 5_000));
        failures += 1;
        this.wake.ring();
      }
    }
    this.endWaiting();
  }

  private endWaiting(): void {
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  private async sendOne(): Promise<boolean> {
    const rows = await this.store.next(this.channel, this.partition, this.options.batchSize);
    if (rows.length === 0) return false;
    await this.refusedRows.followParked(
      this.channel,
      rows.filter(({ parked }) => parked),
    );
    const free = rows.filter(({ parked }) => !parked);
    if (free.length === 0) return true;
    try {
      await this.sendRows(free);
    } catch (error) {
      if (!(error instanceof RecordRefused)) throw error;
      await this.sendOneByOne(free);
    }
    return true;
  }

  private async sendRows(rows: readonly OutboxRow[]): Promise<void> {
    await this.sink(rows);
    await this.store.delete(rows);
    this.options.relayed(rows);
  }

  /** One of them is refused, and the sink does not say which. */
  private async sendOneByOne(rows: readonly OutboxRow[]): Promise<void> {
    const refusedKeys = new Set<string>();
    for (const row of rows) {
      const key = JSON.stringify([row.topic, row.key]);
      if (refusedKeys.has(key)) continue; // it follows at the next look
      try {
        await this.sendRows([row]);
      } catch (error) {
        if (!(error instanceof RecordRefused)) throw error;
        refusedKeys.add(key);
        await this.refusedRows.putAside(this.channel, row, error);
        this.options.refused();
        this.logger.error(
          { err: error, channel: this.channel, topic: row.topic, key: row.key, row: row.id },
          'A row of the outbox was refused for good: it is a dead letter, and its key is parked',
        );
      }
    }
  }

  private isStopping(): boolean {
    return this.stopping;
  }
}
