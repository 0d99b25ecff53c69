import type { Admin } from 'kafkajs';

import type { TopicPartition } from '../event-broker.ts';
import { committedOf, nameOf, type Watermarks, watermarksOf } from './watermarks.ts';

/** Where a member begins to read a partition. */
export interface Start {
  offset: bigint;
  low: bigint;
  high: bigint;
  /** The group has kept no offset yet: this one is to be kept at once, or a later start would begin elsewhere. */
  fresh: boolean;
  /** Records the group had not read when the broker deleted them. */
  lost: bigint;
}

/** Where reading begins at each join, and what becomes of what was settled. */
export interface Positions {
  /** Whether the broker keeps offsets for this subscription. */
  readonly kept: boolean;
  /** By `nameOf`. */
  startsOf(partitions: readonly TopicPartition[]): Promise<Map<string, Start>>;
  settled(partition: TopicPartition, next: bigint): void;
}

function topicsOf(partitions: readonly TopicPartition[]): string[] {
  return [...new Set(partitions.map(({ topic }) => topic))];
}

function startAt(wanted: bigint | undefined, { low, high }: Watermarks, otherwise: bigint): Start {
  if (wanted === undefined) return { offset: otherwise, low, high, fresh: true, lost: 0n };
  const offset = wanted < low ? low : wanted;
  return { offset, low, high, fresh: false, lost: offset - wanted };
}

/** A group: the coordinator keeps its offsets. */
export class GroupPositions implements Positions {
  readonly kept = true;

  constructor(
    private readonly admin: Admin,
    private readonly group: string,
    /** Topics of which a group that has kept nothing reads only what comes. */
    private readonly fromTheEnd: ReadonlySet<string>,
  ) {}

  async startsOf(partitions: readonly TopicPartition[]): Promise<Map<string, Start>> {
    const topics = topicsOf(partitions);
    const [committed, watermarks] = await Promise.all([
      committedOf(this.admin, this.group, topics),
      watermarksOf(this.admin, topics),
    ]);
    const starts = new Map<string, Start>();
    for (const partition of partitions) {
      const name = nameOf(partition);
      const marks = watermarks.get(name) ?? { low: 0n, high: 0n };
      const otherwise = this.fromTheEnd.has(partition.topic) ? marks.high : marks.low;
      starts.set(name, startAt(committed.get(name), marks, otherwise));
    }
    return starts;
  }

  settled(): void {
    // The member commits it.
  }
}

/** A subscription that stands alone: positions live in memory, from the end of each topic that is there at the start. */
export class OwnPositions implements Positions {
  readonly kept = false;
  private readonly next = new Map<string, bigint>();

  constructor(private readonly admin: Admin) {}

  /** Records appended to these topics from now on are seen. */
  async beginAfter(topics: readonly string[]): Promise<void> {
    for (const [name, { high }] of await watermarksOf(this.admin, topics))
      this.next.set(name, high);
  }

  async startsOf(partitions: readonly TopicPartition[]): Promise<Map<string, Start>> {
    const watermarks = await watermarksOf(this.admin, topicsOf(partitions));
    const starts = new Map<string, Start>();
    for (const partition of partitions) {
      const name = nameOf(partition);
      const marks = watermarks.get(name) ?? { low: 0n, high: 0n };
      starts.set(name, startAt(this.next.get(name), marks, marks.low));
    }
    return starts;
  }

  settled(partition: TopicPartition, next: bigint): void {
    this.next.set(nameOf(partition), next);
  }
}
