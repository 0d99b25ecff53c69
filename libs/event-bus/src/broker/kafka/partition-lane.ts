import type { Batch, KafkaMessage } from 'kafkajs';

import { backoff } from '../backoff.ts';
import type { BrokerRecord, PartitionLag, RecordBatch, TopicPartition } from '../event-broker.ts';
import { SettledPrefix } from '../settled-prefix.ts';
import { Wake } from '../wake.ts';

/** Fetching a partition pauses above, and goes on below half of it: records, and characters of their values. */
const HELD_RECORDS = 1_000;
const HELD_SIZE = 1024 * 1024;

export interface LaneWork {
  batchSize: number;
  onBatch: (batch: RecordBatch) => Promise<void>;
  heartbeat: () => Promise<void>;
  /** Everything before `next` is settled. */
  settled: (lane: PartitionLane, next: bigint) => void;
  failed: (error: unknown, lane: PartitionLane) => void;
  /** There is room again. */
  resume: (lane: PartitionLane) => void;
}

/**
 * One partition under one ownership: what was fetched of it and is not settled, handed on a batch at a time. Handling is
 * apart from fetching, so that a handler that takes long, or a batch that waits for its next try, holds up neither other
 * partitions nor the heartbeats of the member.
 */
export class PartitionLane {
  private readonly controller = new AbortController();
  private readonly pause = new Wake();
  private readonly held: BrokerRecord[] = [];
  private size = 0;
  private full = false;
  private busy: Promise<void> | undefined;
  private committed: bigint;
  private high: bigint;

  /** `before`: the end of what an earlier ownership of the same partition still has in hand. */
  constructor(
    readonly at: TopicPartition,
    /** Offset of the next record to be fetched. */
    public next: bigint,
    high: bigint,
    private readonly work: LaneWork,
    private readonly before?: Promise<void>,
  ) {
    this.committed = next;
    this.high = high;
  }

  get lag(): PartitionLag {
    const lag = this.high - this.committed;
    return { ...this.at, lag: lag > 0n ? lag : 0n };
  }

  get ended(): boolean {
    return this.controller.signal.aborted;
  }

  /** Takes what was fetched from `next` on; says whether fetching is to pause. */
  take(batch: Batch): boolean {
    this.next = BigInt(batch.lastOffset()) + 1n;
    this.see(BigInt(batch.highWatermark));
    for (const message of batch.messages) {
      const record = toRecord(this.at, message);
      this.held.push(record);
      this.size += record.value?.length ?? 0;
    }
    this.full = this.held.length >= HELD_RECORDS || this.size >= HELD_SIZE;
    this.begin();
    return this.full;
  }

  /** Offsets up to this one hold no records for anybody: markers of transactions. */
  passOver(first: bigint, last: bigint): void {
    if (first <= this.next && last >= this.next) this.next = last + 1n;
  }

  see(high: bigint): void {
    if (high > this.high) this.high = high;
  }

  /** The broker keeps it. */
  keep(next: bigint): void {
    this.committed = next;
  }

  /** Begins nothing any more; what is in hand is told by its signal. */
  end(): void {
    this.controller.abort();
    this.held.length = 0;
    this.pause.ring();
  }

  /** Resolves when nothing is in hand. */
  async done(): Promise<void> {
    await this.busy;
  }

  private begin(): void {
    this.busy ??= this.run().finally(() => {
      this.busy = undefined;
      if (this.held.length > 0 && !this.ended) this.begin();
    });
  }

  private async run(): Promise<void> {
    await this.before;
    for (let failures = 0; this.held.length > 0 && !this.ended;) {
      const error = await this.handle(this.held.slice(0, this.work.batchSize));
      if (error === undefined) {
        failures = 0;
        continue;
      }
      this.work.failed(error, this);
      await this.pause.sleep(backoff(failures, 200, 10_000)); // rung, when ended
      failures += 1;
    }
  }

  /** Returns what was thrown. */
  private async handle(records: readonly BrokerRecord[]): Promise<unknown> {
    const prefix = new SettledPrefix(records);
    const { signal } = this.controller;
    let failure: unknown;
    try {
      await this.work.onBatch({
        ...this.at,
        records,
        signal,
        settle: (record) => prefix.settle(record),
        heartbeat: this.work.heartbeat,
      });
      if (!signal.aborted) prefix.settleAll();
    } catch (error) {
      failure = error ?? new Error('A batch failed without an error');
    }
    const next = prefix.next();
    if (next !== undefined) this.letGoBefore(next);
    return failure;
  }

  private letGoBefore(next: bigint): void {
    this.work.settled(this, next);
    let count = 0;
    for (const { offset, value } of this.held) {
      if (offset >= next) break;
      count += 1;
      this.size -= value?.length ?? 0;
    }
    this.held.splice(0, count);
    if (
      this.full &&
      !this.ended &&
      this.held.length < HELD_RECORDS / 2 &&
      this.size < HELD_SIZE / 2
    ) {
      this.full = false;
      this.work.resume(this);
    }
  }
}

function toRecord({ topic, partition }: TopicPartition, message: KafkaMessage): BrokerRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? '',
    value: message.value?.toString() ?? null,
    headers: headersOf(message),
    appendedAt: new Date(Number(message.timestamp)),
  };
}

/** As text, whatever it begins with; of a header that is there several times the last. */
function headersOf({ headers }: KafkaMessage): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) texts[name] = last.toString();
  }
  return texts;
}
