import { ServerKafka } from '@nestjs/microservices';
import type { Consumer, ConsumerConfig, EachBatchPayload } from 'kafkajs';

import type { TopicPartition } from '../event-broker.ts';
import { clientConfig, type KafkaConnection } from './kafka-client.ts';
import { rootOf } from './kafka-errors.ts';
import { subscribedAssigner } from './subscribed-assigner.ts';

export interface GroupServerOptions {
  connection: KafkaConnection;
  groupId: string;
  /** They exist. */
  topics: readonly string[];
  sessionMs: number;
  /** How long the group waits at a rebalance for a member that has something in hand. */
  rebalanceMs: number;
}

/** What a member of a group does with what its consumer meets. */
export interface GroupWork {
  /** What was owned until now goes: end what is in hand. Joining waits for it. */
  beforeJoin(): Promise<void>;
  joined(partitions: readonly TopicPartition[]): void;
  /** Takes over what was fetched, and resolves its offset; handles it apart from this call. */
  take(payload: EachBatchPayload): Promise<void>;
  /** Offsets that hold markers of transactions alone. */
  passOver(partition: TopicPartition, first: bigint, last: bigint): void;
  heartbeatDone(): void;
  /** The consumer has ended and does not begin again by itself. */
  crashed(error: Error): void;
}

/** At a heartbeat a member learns that others come or go: they wait for it. */
const HEARTBEAT_MS = 1_000;
/** A fetch waits for records at most so long; what is resumed meanwhile waits for the next one. */
const MAX_WAIT_MS = 200;

/**
 * Nest's Kafka transport with another way of consuming: a strategy whose consumer hands batches, with nothing committed
 * but what the work settles. What the stock one does with messages is not used: it commits what no handler takes, makes
 * tombstones and headers into something else, lets a handler that throws stop every partition and the consumer end.
 *
 * One server a consumer name, so that consumers do not wait for each other; its group is named as it is asked for.
 */
export class GroupServer extends ServerKafka {
  constructor(
    private readonly group: GroupServerOptions,
    private readonly work: GroupWork,
  ) {
    super({
      client: clientConfig(group.connection),
      consumer: consumerConfig(group, work) as never, // Nest has a copy of kafkajs' types of its own
      postfixId: '',
    });
    for (const topic of group.topics) {
      this.addHandler(topic, (payload: EachBatchPayload) => work.take(payload), true);
    }
  }

  /** Resolves when the member has joined. @throws what kept it from that */
  async serve(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      void this.listen((error: unknown) => {
        if (error === undefined) resolve();
        else reject(rootOf(error));
      });
    });
  }

  /** Without the producer of the stock one: a member of a group answers nothing. */
  override async start(callback: () => void): Promise<void> {
    const client = this.client;
    if (!client) throw new Error('There is no client yet');
    this.consumer = client.consumer({ ...this.options.consumer, groupId: this.groupId });
    this.registerConsumerEventListeners();
    await this.consumer.connect();
    await this.bindEvents(this.consumer);
    callback();
  }

  override async bindEvents(nests: NonNullable<ServerKafka['consumer']>): Promise<void> {
    const consumer = nests;
    let failure: Error | undefined;
    const { GROUP_JOIN, HEARTBEAT, CRASH, END_BATCH_PROCESS } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => this.work.joined(partitionsOf(payload)));
    consumer.on(HEARTBEAT, () => this.work.heartbeatDone());
    consumer.on(END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, ...batch } }) => {
      if (batchSize > 0) return;
      this.work.passOver({ topic, partition }, BigInt(batch.firstOffset), BigInt(batch.lastOffset));
    });
    consumer.on(CRASH, ({ payload }) => {
      failure = payload.error;
      this.work.crashed(payload.error);
    });
    await consumer.subscribe({ topics: [...this.messageHandlers.keys()], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.group.topics.length, // taking is short: it only waits for where to begin
      eachBatch: (payload) => this.handleBatch(payload),
    });
    // A consumer that could not join has said so by its crash; `run` resolves all the same.
    if (failure) throw failure;
  }

  /** A topic without a handler is nobody's to commit. */
  async handleBatch(payload: EachBatchPayload): Promise<void> {
    const handler = this.getHandlerByPattern(payload.batch.topic);
    if (!handler) throw new Error(`Nothing here handles topic ${payload.batch.topic}`);
    await handler(payload);
  }

  get kafka(): Consumer {
    if (!this.consumer) throw new Error('The consumer is closed');
    return this.consumer;
  }
}

function consumerConfig(group: GroupServerOptions, work: GroupWork): ConsumerConfig {
  return {
    groupId: group.groupId,
    sessionTimeout: group.sessionMs,
    rebalanceTimeout: group.rebalanceMs,
    heartbeatInterval: Math.min(HEARTBEAT_MS, Math.ceil(group.sessionMs / 4)),
    maxWaitTimeInMs: MAX_WAIT_MS,
    allowAutoTopicCreation: false,
    partitionAssigners: [subscribedAssigner(() => work.beforeJoin())],
    // Never by itself: whoever supervises it begins again, and knows when to give up.
    retry: {
      ...clientConfig(group.connection).retry,
      restartOnFailure: () => Promise.resolve(false),
    },
  };
}

function partitionsOf(payload: { memberAssignment: Record<string, number[]> }): TopicPartition[] {
  return Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}
