import { Logger } from '@nestjs/common';

import { backoff } from '../backoff.ts';
import type {
  BrokerRecord,
  PartitionLag,
  SubscribeOptions,
  Subscription,
  TopicPartition,
} from '../event-broker.ts';
import { Wake } from '../wake.ts';
import type { LogClient } from './log.client.ts';
import { PartitionSlot, type SlotWork } from './partition-slot.ts';
import type { PartitionSource } from './partition-source.ts';

export interface SubscriptionTiming {
  /** A member that is not heard of for so long loses its partitions. */
  sessionMs: number;
  /** How often to look without having been woken. */
  pollMs: number;
}

/** A batch is at most so large, counted in characters of its values; a record above it comes alone. */
const BATCH_BYTES = 1024 * 1024;
const ASK_AGAIN_MS = 500;

/** Fetches for the partitions it owns, renews the membership, follows the plan of its group. */
export class PostgresSubscription implements Subscription {
  private readonly logger = new Logger(PostgresSubscription.name);
  private readonly slots = new Map<string, PartitionSlot>();
  /** Ends of batches whose ownership is over. */
  private readonly leaving = new Map<string, Promise<void>>();
  private readonly wake = new Wake();
  private readonly pause = new Wake();
  private readonly work: SlotWork;
  private refreshed = 0;
  private refreshNow = false;
  private stopping = false;
  private crash: Error | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: LogClient,
    private readonly source: PartitionSource,
    private readonly options: SubscribeOptions,
    private readonly timing: SubscriptionTiming,
  ) {
    this.work = {
      onBatch: options.onBatch,
      commit: (owned, offset) => source.commit(owned, offset),
      failed: (error, slot) => {
        const { topic, partition, offset } = slot.at;
        this.logger.warn(
          { err: error, group: options.group, topic, partition, offset: offset.toString() },
          'A batch failed and will be delivered again',
        );
      },
    };
  }

  async start(): Promise<void> {
    await this.refresh();
    this.running = this.run().catch((error: unknown) => {
      this.crash = error instanceof Error ? error : new Error(String(error));
      this.logger.error({ err: error, group: this.options.group }, 'A subscription has ended');
    });
  }

  /** A notice of the log: a topic, `group <name>`, or empty for anything may have happened. */
  heard(payload: string): void {
    if (payload === '' || payload === `group ${this.options.group ?? ''}`) this.refreshNow = true;
    else if (!this.options.topics.includes(payload)) return;
    else if (this.mayBeNew(payload)) this.refreshNow = true;
    this.wake.ring();
  }

  /** A topic of which nothing is owned was made just now, or is all in other hands: no reason to ask at every record. */
  private mayBeNew(topic: string): boolean {
    if (performance.now() - this.refreshed < ASK_AGAIN_MS) return false;
    return ![...this.slots.values()].some((slot) => slot.owned.topic === topic);
  }

  assigned(): readonly TopicPartition[] {
    return [...this.slots.values()]
      .filter((slot) => !slot.ended)
      .map(({ at }) => ({ topic: at.topic, partition: at.partition }));
  }

  lag(): readonly PartitionLag[] {
    return [...this.slots.values()].map((slot) => slot.lag);
  }

  failure(): Error | undefined {
    return this.crash;
  }

  async stop(): Promise<void> {
    if (this.stopping) return this.running;
    this.stopping = true;
    for (const slot of this.slots.values()) slot.end();
    this.wake.ring();
    this.pause.ring();
    await this.running;
    await Promise.all([...this.slots.values()].map((slot) => slot.settled()));
    await Promise.all(this.leaving.values());
    // Unsaid, the session says it a little later.
    await this.source.leave().catch((error: unknown) => {
      this.logger.warn({ err: error, group: this.options.group }, 'Could not leave the group');
    });
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopping) {
      try {
        if (this.refreshIn() === 0) await this.refresh();
        const fetched = await this.fetch();
        failures = 0;
        if (!fetched) await this.wake.sleep(Math.min(this.refreshIn(), this.fetchIn()));
      } catch (error) {
        if (failures === 0) {
          this.logger.warn({ err: error, group: this.options.group }, 'The log does not answer');
        }
        if (performance.now() - this.refreshed > this.timing.sessionMs) this.loseAll();
        await this.pause.sleep(backoff(failures, 200, 5_000));
        failures += 1;
      }
    }
  }

  private refreshIn(): number {
    if (this.refreshNow) return 0;
    const interval = this.timing.sessionMs / 3;
    return Math.max(0, this.refreshed + interval - performance.now());
  }

  private fetchIn(): number {
    const now = performance.now();
    const pauses = [...this.slots.values()]
      .filter((slot) => slot.idle && !slot.ended)
      .map((slot) => slot.pause(now))
      .filter((pause) => pause > 0);
    return Math.min(this.timing.pollMs, ...pauses);
  }

  private async refresh(): Promise<void> {
    this.refreshNow = false;
    const released: TopicPartition[] = [];
    for (const [name, slot] of this.slots) {
      if (!slot.ended || !slot.idle) continue;
      this.slots.delete(name);
      released.push(slot.at);
    }
    const asked = performance.now();
    const owned = await this.source.refresh(released);
    this.refreshed = asked;

    const names = new Set(owned.map(nameOf));
    for (const [name, slot] of this.slots) if (!names.has(name)) this.lose(name, slot);
    for (const partition of owned) {
      const name = nameOf(partition);
      const present = this.slots.get(name);
      if (present?.owned.epoch === partition.epoch) {
        present.see(partition.head);
        if (partition.revoking) this.letGo(present);
        continue;
      }
      if (present) this.lose(name, present);
      const slot = new PartitionSlot(partition, this.leaving.get(name));
      this.slots.set(name, slot);
      if (partition.revoking) this.letGo(slot);
    }
    this.options.onAssigned?.(this.assigned());
  }

  /** The partition goes to another member, who waits for our word. */
  private letGo(slot: PartitionSlot): void {
    slot.end();
    void slot.settled().then(() => {
      this.refreshNow = true;
      this.wake.ring();
    });
  }

  /** The partition is not ours any more; what is in hand ends by itself and can commit nothing. */
  private lose(name: string, slot: PartitionSlot): void {
    slot.end();
    this.slots.delete(name);
    if (slot.idle) return;
    const end = slot.settled().finally(() => {
      if (this.leaving.get(name) === end) this.leaving.delete(name);
    });
    this.leaving.set(name, end);
  }

  private loseAll(): void {
    for (const [name, slot] of this.slots) this.lose(name, slot);
  }

  private async fetch(): Promise<boolean> {
    const now = performance.now();
    const ready = [...this.slots.values()].filter(
      (slot) => slot.idle && !slot.ended && slot.pause(now) === 0,
    );
    if (ready.length === 0) return false;
    const records = await this.log.fetch(
      ready.map((slot) => slot.at),
      this.options.batchSize ?? 100,
      BATCH_BYTES,
    );
    const byPartition = Map.groupBy(records, nameOf);
    for (const [name, batch] of byPartition) {
      const slot = this.slots.get(name);
      if (!slot || slot.ended) continue;
      slot.handle(batch, this.work);
      void slot.settled().then(() => this.wake.ring());
    }
    return byPartition.size > 0;
  }
}

function nameOf({ topic, partition }: TopicPartition | BrokerRecord): string {
  return `${topic}/${partition}`;
}
