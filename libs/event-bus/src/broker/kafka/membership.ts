import { setTimeout as sleep } from 'node:timers/promises';

import { Logger } from '@nestjs/common';
import type { EachBatchPayload } from 'kafkajs';

import type { PartitionLag, RecordBatch, TopicPartition } from '../event-broker.ts';
import { GroupServer, type GroupServerOptions, type GroupWork } from './group-server.ts';
import { OffsetCommits, type Settled } from './offset-commits.ts';
import { outlasting } from './outlasting.ts';
import { PartitionLane } from './partition-lane.ts';
import type { Positions } from './positions.ts';
import { nameOf } from './watermarks.ts';

export interface MembershipOptions extends GroupServerOptions {
  batchSize: number;
  onBatch: (batch: RecordBatch) => Promise<void>;
  onAssigned: ((partitions: readonly TopicPartition[]) => void) | undefined;
}

/** Whoever was out of reach for so long has lost its partitions, whether it was told or not. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost';
}

/** Lanes of one join, until the next. */
interface Ownership {
  lanes: Map<string, PartitionLane>;
  /** Resolves when it is known where to begin. */
  ready: Promise<void>;
  commits: OffsetCommits;
}

/**
 * One member of a group, from its first join to its end. At each join it begins anew, from what the group has kept, with
 * the partitions it is given; before, it ends what it has in hand and commits it, for as long as a session lasts.
 */
export class Membership implements GroupWork {
  private readonly logger = new Logger(Membership.name);
  private readonly server: GroupServer;
  private ownership: Ownership | undefined;
  /** Ends of what earlier ownerships still have in hand, by partition. */
  private readonly leaving = new Map<string, Promise<void>>();
  private beat: (() => Promise<void>) | undefined;
  private commitBy: ((settled: readonly Settled[]) => Promise<void>) | undefined;
  private lastBeat = performance.now();
  private watch: NodeJS.Timeout | undefined;
  private stopping = false;
  private readonly ending = Promise.withResolvers<Error>();

  constructor(
    private readonly options: MembershipOptions,
    private readonly positions: Positions,
  ) {
    this.server = new GroupServer(options, this);
  }

  /** Resolves when it has joined. @throws what kept it from that; it is closed then */
  async join(): Promise<void> {
    try {
      await this.server.serve();
      await this.ownership?.ready;
    } catch (error) {
      await this.leave();
      throw error;
    }
    this.watch = setInterval(() => this.watchSession(), this.options.sessionMs / 4);
  }

  /** Resolves with what it ended from, if it ends by itself. */
  get ended(): Promise<Error> {
    return this.ending.promise;
  }

  assigned(): readonly TopicPartition[] {
    return this.lanes.filter((lane) => !lane.ended).map(({ at }) => at);
  }

  lag(): readonly PartitionLag[] {
    return this.lanes.map((lane) => lane.lag);
  }

  /** Ends what is in hand, commits it, leaves the group. */
  async leave(): Promise<void> {
    this.stopping = true;
    clearInterval(this.watch);
    await this.letGo();
    await this.server.close().catch((error: unknown) => {
      this.logger.warn({ err: error, group: this.options.groupId }, 'Could not leave the group');
    });
    await Promise.all(this.leaving.values());
  }

  async beforeJoin(): Promise<void> {
    await this.letGo(this.options.sessionMs);
  }

  joined(partitions: readonly TopicPartition[]): void {
    this.lastBeat = performance.now();
    const commits = new OffsetCommits(
      (settled) => this.commit(settled),
      ({ next, ...partition }) => this.laneOf(partition)?.keep(next),
      (error) => {
        this.logger.warn({ err: error, group: this.options.groupId }, 'Offsets were not committed');
      },
    );
    const ownership: Ownership = { lanes: new Map(), commits, ready: Promise.resolve() };
    ownership.ready = this.begin(ownership, partitions);
    ownership.ready.catch(() => undefined); // whoever takes a batch, or joins, meets it
    this.ownership = ownership;
  }

  async take(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    this.beat = () => payload.heartbeat();
    const { ownership } = this;
    await ownership?.ready;
    const lane = ownership?.lanes.get(nameOf(batch));
    if (!lane || lane.ended || ownership !== this.ownership || this.stopping) return;
    if (fetchedFrom(batch) !== lane.next) {
      await this.realign(lane, fetchedFrom(batch));
      return;
    }
    this.commitBy = (settled) => payload.commitOffsetsIfNecessary(offsetsOf(settled));
    payload.resolveOffset(batch.lastOffset());
    if (lane.take(batch)) payload.pause();
  }

  passOver(partition: TopicPartition, first: bigint, last: bigint): void {
    this.laneOf(partition)?.passOver(first, last);
  }

  heartbeatDone(): void {
    this.lastBeat = performance.now();
  }

  crashed(error: Error): void {
    this.ending.resolve(error);
  }

  private get lanes(): PartitionLane[] {
    return [...(this.ownership?.lanes.values() ?? [])];
  }

  private laneOf(partition: TopicPartition): PartitionLane | undefined {
    return this.ownership?.lanes.get(nameOf(partition));
  }

  private async begin(ownership: Ownership, partitions: readonly TopicPartition[]): Promise<void> {
    // Few tries: until it is known, nothing is fetched and no heartbeat is sent.
    const starts = await outlasting(3, () => this.positions.startsOf(partitions));
    if (this.ownership !== ownership || this.stopping) return;
    const fresh: Settled[] = [];
    for (const at of partitions) {
      const start = starts.get(nameOf(at));
      if (!start) throw new Error(`It is not known where to begin with ${nameOf(at)}`);
      const lane = new PartitionLane(
        at,
        start.offset,
        start.high,
        {
          batchSize: this.options.batchSize,
          onBatch: this.options.onBatch,
          heartbeat: () => this.heartbeat(),
          settled: ({ at: partition }, next) => {
            this.positions.settled(partition, next);
            if (this.positions.kept) ownership.commits.add({ ...partition, next });
            else lane.keep(next);
          },
          failed: (error) => {
            this.logger.warn(
              { err: error, group: this.options.groupId, ...at },
              'A batch failed and will be delivered again',
            );
          },
          resume: () => {
            if (this.ownership !== ownership || this.stopping) return;
            this.server.kafka.resume([{ topic: at.topic, partitions: [at.partition] }]);
          },
        },
        this.leaving.get(nameOf(at)),
      );
      ownership.lanes.set(nameOf(at), lane);
      if (start.lost > 0n) this.tellLost(at, start.lost);
      if (start.fresh || start.lost > 0n) fresh.push({ ...at, next: start.offset });
      // kafkajs begins by itself with what the group has kept, else with the first record.
      const byItself = this.positions.kept && !start.fresh && start.lost === 0n;
      if (!byItself && start.offset !== start.low) this.seek(lane);
    }
    if (fresh.length > 0 && this.positions.kept) {
      await this.server.kafka.commitOffsets(
        fresh.map(({ topic, partition, next }) => ({ topic, partition, offset: next.toString() })),
      );
    }
    this.options.onAssigned?.(this.assigned());
  }

  /**
   * What came is not what is to come next: it was on its way since before the last join, or the broker has deleted what
   * was to come.
   */
  private async realign(lane: PartitionLane, fetched: bigint): Promise<void> {
    if (fetched > lane.next) {
      const low = (await this.positions.startsOf([lane.at])).get(nameOf(lane.at))?.low ?? 0n;
      if (low > lane.next) {
        this.tellLost(lane.at, low - lane.next);
        lane.next = low;
      }
    }
    this.seek(lane);
  }

  private seek(lane: PartitionLane): void {
    this.server.kafka.seek({ ...lane.at, offset: lane.next.toString() });
  }

  private tellLost(at: TopicPartition, lost: bigint): void {
    this.logger.error(
      { group: this.options.groupId, ...at, lost: lost.toString() },
      'The broker has deleted records that the group had not read',
    );
  }

  /** Ends what is in hand, for at most so long: what takes longer goes on without its ownership and commits nothing. */
  private async letGo(withinMs = Infinity): Promise<void> {
    const { ownership } = this;
    if (!ownership) return;
    this.ownership = undefined;
    for (const lane of ownership.lanes.values()) this.end(lane);
    const done = Promise.all([...ownership.lanes.values()].map((lane) => lane.done()));
    if (await this.endsWithin(done, withinMs)) await ownership.commits.end();
    ownership.commits.abandon();
    this.options.onAssigned?.([]);
  }

  private end(lane: PartitionLane): void {
    lane.end();
    const name = nameOf(lane.at);
    const over = Promise.all([this.leaving.get(name), lane.done()]).then(() => {
      if (this.leaving.get(name) === over) this.leaving.delete(name);
    });
    this.leaving.set(name, over);
  }

  /** Heartbeats meanwhile: the consumer sends none while its join waits. */
  private async endsWithin(done: Promise<unknown>, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    const over = done.then(() => true);
    while (performance.now() < deadline) {
      const pause = Math.min(this.options.sessionMs / 4, deadline - performance.now());
      if (await Promise.race([over, sleep(pause, false, { ref: false })])) return true;
      await this.heartbeat();
    }
    return false;
  }

  /** A heartbeat that fails has nothing to say to whoever handles events: the consumer meets the same. */
  private async heartbeat(): Promise<void> {
    await this.beat?.().catch(() => undefined);
  }

  /** Cut off for longer than its session, the member owns nothing any more, though nobody could tell it so. */
  private watchSession(): void {
    const { ownership } = this;
    if (!ownership || performance.now() - this.lastBeat < this.options.sessionMs) return;
    ownership.commits.abandon();
    for (const lane of this.lanes) this.end(lane);
    this.ending.resolve(new SessionLost('The group was out of reach for longer than a session'));
  }

  private async commit(settled: readonly Settled[]): Promise<void> {
    if (!this.commitBy) throw new Error('Nothing was fetched that could be committed');
    await this.commitBy(settled);
  }
}

/** Of the batch as kafkajs has it; its types leave it out. */
function fetchedFrom(batch: EachBatchPayload['batch']): bigint {
  return BigInt((batch as unknown as { fetchedOffset: string }).fetchedOffset);
}

function offsetsOf(settled: readonly Settled[]) {
  return {
    topics: [...Map.groupBy(settled, ({ topic }) => topic)].map(([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition, next }) => ({ partition, offset: next.toString() })),
    })),
  };
}
