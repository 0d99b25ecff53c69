import { backoff } from '../backoff.ts';
import type { BrokerRecord, PartitionLag, RecordBatch } from '../event-broker.ts';
import { SettledPrefix } from '../settled-prefix.ts';
import { lagOf, type Ownership, type Position } from './log.client.ts';

export interface SlotWork {
  onBatch: (batch: RecordBatch) => Promise<void>;
  commit: (owned: Ownership, offset: bigint) => Promise<boolean>;
  failed: (error: unknown, slot: PartitionSlot) => void;
}

/** One partition under one ownership: its position, and the batch in hand. */
export class PartitionSlot {
  private readonly controller = new AbortController();
  private position: bigint;
  private head: bigint;
  private failures = 0;
  private notBefore = 0;
  private busy: Promise<void> | undefined;

  /** `before`: the end of what an earlier ownership of the same partition still has in hand. */
  constructor(
    readonly owned: Ownership,
    before?: Promise<void>,
  ) {
    this.position = owned.committed;
    this.head = owned.head;
    if (before) this.occupy(before);
  }

  get at(): Position {
    return { topic: this.owned.topic, partition: this.owned.partition, offset: this.position };
  }

  get lag(): PartitionLag {
    return lagOf({ ...this.owned, head: this.head }, this.position);
  }

  get idle(): boolean {
    return this.busy === undefined;
  }

  get ended(): boolean {
    return this.controller.signal.aborted;
  }

  /** Milliseconds until the next batch may be fetched; 0 is now. */
  pause(now: number): number {
    return Math.max(0, this.notBefore - now);
  }

  see(head: bigint): void {
    if (head > this.head) this.head = head;
  }

  end(): void {
    this.controller.abort();
  }

  settled(): Promise<void> {
    return this.busy ?? Promise.resolve();
  }

  handle(records: readonly BrokerRecord[], work: SlotWork): void {
    this.occupy(this.run(records, work));
  }

  private occupy(task: Promise<void>): void {
    const busy = task.finally(() => {
      if (this.busy === busy) this.busy = undefined;
    });
    this.busy = busy;
  }

  private async run(records: readonly BrokerRecord[], work: SlotWork): Promise<void> {
    const prefix = new SettledPrefix(records);
    const { signal } = this.controller;
    let failure: unknown;
    try {
      await work.onBatch({
        topic: this.owned.topic,
        partition: this.owned.partition,
        records,
        signal,
        settle: (record) => prefix.settle(record),
        heartbeat: () => Promise.resolve(),
      });
      if (!signal.aborted) prefix.settleAll();
    } catch (error) {
      failure = error;
    }
    try {
      const next = prefix.next();
      if (next !== undefined) {
        if (!(await work.commit(this.owned, next))) this.end();
        this.position = next;
        this.see(next);
      }
    } catch (error) {
      failure ??= error;
    }
    if (failure === undefined) {
      this.failures = 0;
      return;
    }
    this.notBefore = performance.now() + backoff(this.failures, 200, 10_000);
    this.failures += 1;
    work.failed(failure, this);
  }
}
