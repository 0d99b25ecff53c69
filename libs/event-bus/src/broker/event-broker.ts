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
  /** Aborted when the partition goes to another member or the subscription stops: end what is in hand, begin nothing. */
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
 *   be there: the caller repeats, so delivery is at least once.
 * - Records of one topic and key are delivered in the order in which they were produced.
 * - A service appends to topics `<service>.*` and joins groups `<service>.*` alone; else `produce` and `subscribe` reject.
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

  /** Deletes the caller's own records older than this, where the broker does not do it by itself. */
  abstract prune(olderThanMs: number): Promise<void>;

  abstract connect(): Promise<void>;

  /** Stops every subscription that is left and closes the connections. */
  abstract close(): Promise<void>;
}
