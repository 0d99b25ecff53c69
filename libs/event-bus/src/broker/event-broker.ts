import { NotRetryable } from '../consume/not-retryable.ts';

/**
 * One of the records will never be taken, whenever and however often it is sent: too large, or malformed. Not for what
 * can be mended elsewhere: a missing topic or right, a full disk.
 */
export class RecordRefused extends NotRetryable {
  override readonly name = 'RecordRefused';
}

/** What is appended to a topic. */
export interface OutgoingRecord {
  topic: string;
  /** Records of one key keep their order: they go to one partition. 1 to 512 characters. */
  key: string;
  /** `null` is a tombstone. */
  value: string | null;
  headers?: Readonly<Record<string, string>>;
}

/** A record as it lies in a partition. */
export interface BrokerRecord {
  readonly topic: string;
  readonly partition: number;
  /** Grows within a partition, not necessarily by one. */
  readonly offset: bigint;
  readonly key: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly appendedAt: Date;
  /** The service that appended it, where the broker itself knows (PostgreSQL); not where it only keeps others out (Kafka). */
  readonly source?: string;
}

/** Records of one partition, in order of offset. */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly BrokerRecord[];
  /**
   * Aborted when the partition goes to another member or the subscription stops: end what is in hand, begin nothing.
   * One and the same for as long as this member owns the partition.
   */
  readonly signal: AbortSignal;
  /**
   * The record needs no second delivery. In any order; the group's offset moves to the first record that is not settled.
   */
  settle(record: BrokerRecord): void;
  /** Tells the broker that this member lives; call it between records (Kafka needs it, others ignore it). */
  heartbeat(): Promise<void>;
}

export interface SubscribeOptions {
  /**
   * `<service>.<name>`: members of one group share the partitions, and the group's offsets are kept.
   * Without it the subscription stands alone: it sees every record appended after `subscribe` resolved, and keeps nothing.
   */
  group?: string;
  /** Need not exist yet: their records come, from the first one on, once they do. */
  topics: readonly string[];
  /** Where a group begins that has no offset for a partition. Default `earliest`. */
  from?: 'earliest' | 'latest';
  /** Records a batch, at most. Default 100. */
  batchSize?: number;
  /**
   * One call at a time per partition; partitions run side by side.
   * Resolves: every record is settled unless `signal` was aborted. Rejects, or aborted: what is settled is kept, the
   * rest is delivered again, after a pause, here or to the partition's next owner. Never ends the subscription.
   */
  onBatch: (batch: RecordBatch) => Promise<void>;
  /** The subscription has a new set of partitions. */
  onAssigned?: (partitions: readonly TopicPartition[]) => void;
}

export interface TopicPartition {
  topic: string;
  partition: number;
}

export interface PartitionLag extends TopicPartition {
  /** Records appended and not yet settled by the group. */
  lag: bigint;
}

/** What lies in one partition of a topic. */
export interface PartitionRange {
  partition: number;
  /** Offset of the first record that is still there; `next` where there is none. */
  first: bigint;
  /** Offset that the next record will get. */
  next: bigint;
}

export interface TopicDescription {
  topic: string;
  /** In order of their numbers. */
  partitions: readonly PartitionRange[];
  /** How long the broker keeps a record; undefined where it keeps them until their owner prunes. */
  retentionMs?: number;
}

/** How far a whole group has come in one partition. */
export interface GroupPosition extends PartitionLag {
  /** Where the group goes on; undefined: it has kept nothing of this partition, and begins with its first record. */
  committed?: bigint;
  /** The member that owns it now, one of the group's `members`. */
  owner?: string;
}

export interface GroupDescription {
  /** Those whose session lives, by the names the broker has for them; the client's own name is part of it. */
  members: readonly string[];
  /** Every partition of those of the topics asked for that exist, by topic and number. */
  positions: readonly GroupPosition[];
}

export interface Subscription {
  /** What this member owns now. */
  assigned(): readonly TopicPartition[];
  /** Lag of what this member owns, as of its last contact with the broker. */
  lag(): readonly PartitionLag[];
  /**
   * Why this subscription will deliver nothing any more; undefined while it works, waits, or tries to reach its broker.
   * For liveness: only a restart of the process helps.
   */
  failure(): Error | undefined;
  /** Ends the batches in hand, keeps what they settled, leaves the group. Resolves when no `onBatch` runs. */
  stop(): Promise<void>;
}

/**
 * The port to a broker of records: topics of partitions, consumer groups with offsets. Guarantees, tested by the
 * contract suite of `@gatehouse/event-bus/testing` against every adapter:
 *
 * - `produce` resolves when all records are durable, and is all or nothing per topic and partition. Rejected, some may
 *   be there: the caller repeats, so delivery is at least once. With RecordRefused: repeating the same is in vain.
 * - Records of one topic and key are delivered in the order in which they were produced.
 * - A service appends to topics `<service>.*` and joins and describes groups `<service>.*` alone; else `produce`,
 *   `subscribe` and `describeGroup` reject.
 * - A group's partition has one owner at a time, as far as the broker knows. An owner that lost it (slept through its
 *   session) cannot move the offset; what it does meanwhile is the consumer's to fence, by an inbox.
 * - After a crash the group goes on from the last offset kept: records may come twice, none is left out.
 */
export abstract class EventBroker {
  /** Idempotent. An existing topic keeps the number of partitions it was made with. */
  abstract createTopic(name: string, partitions: number): Promise<void>;

  abstract produce(records: readonly OutgoingRecord[]): Promise<void>;

  /** Resolves when the member has joined, or when a subscription without a group stands at the end of its topics. */
  abstract subscribe(options: SubscribeOptions): Promise<Subscription>;

  /** Those of the topics that exist, by name. Any service may ask of any topic. */
  abstract describeTopics(topics: readonly string[]): Promise<TopicDescription[]>;

  /** How far the whole group has come in these topics, whoever owns what. A group nobody ever joined has everything before it. */
  abstract describeGroup(group: string, topics: readonly string[]): Promise<GroupDescription>;

  /**
   * Deletes the caller's own records older than this, and forgets those of its groups that have had no member for so
   * long, where the broker does not do it by itself.
   */
  abstract prune(olderThanMs: number): Promise<void>;

  abstract connect(): Promise<void>;

  /** Stops every subscription that is left and closes the connections. */
  abstract close(): Promise<void>;
}
