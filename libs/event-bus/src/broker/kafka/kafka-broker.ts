import { randomUUID } from 'node:crypto';

import { awaitEngine, EngineUnusable } from '@gatehouse/kernel';
import { Logger } from '@nestjs/common';
import type { Admin } from 'kafkajs';
import kafkajs from 'kafkajs';

import { EventBroker, RecordRefused } from '../event-broker.ts';
import type {
  GroupDescription,
  OutgoingRecord,
  SubscribeOptions,
  Subscription,
  TopicDescription,
} from '../event-broker.ts';
import { knowingForeigners } from './foreign-answers.ts';
import { clientConfig, type KafkaConnection, NO_RETRY } from './kafka-client.ts';
import { protocolType, refusalOf, refusedSettingOf, rootOf } from './kafka-errors.ts';
import { KafkaProducer } from './kafka-producer.ts';
import { KafkaSubscription } from './kafka-subscription.ts';
import { describeGroup, describeTopics } from './operations.ts';
import { outlasting } from './outlasting.ts';
import { GroupPositions, OwnPositions } from './positions.ts';

export interface KafkaBrokerOptions extends KafkaConnection {
  /** Whose broker this is: it writes `<service>.*` and joins groups `<service>.*`. */
  service: string;
  /** A member that is silent for so long loses its partitions. */
  sessionMs: number;
  /** How often to look for a topic that does not exist yet. */
  pollMs: number;
  /** How long `connect` waits for brokers that do not answer yet. */
  waitMs: number;
  /** Of topics made from now on. */
  retentionMs: number;
  /** Of topics made from now on. Default: the brokers' own. */
  replicationFactor?: number;
}

const BROKERS_DEFAULT = -1;
/** Of the record itself: no other try makes it smaller. */
const REFUSALS = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);
const REBALANCE_MS = 60_000;

/**
 * The broker of the scale profile: Apache Kafka. The producer is idempotent, a consumer is a member of a classic group
 * with offsets committed after the effect. Kafka does not say who appended a record; its ACLs keep others out of a
 * service's topics and groups, and this client refuses by itself what they would refuse.
 */
export class KafkaBroker extends EventBroker {
  private readonly logger = new Logger(KafkaBroker.name);
  private readonly subscriptions = new Set<Subscription>();
  /** Topics that were there when last looked for. */
  private readonly known = new Set<string>();
  private readonly producer: KafkaProducer;
  private readonly admin: Admin;
  /** Says at once what is wrong. */
  private readonly pulse: Admin;
  private connected = false;
  /** Once: a broadcast that begins beside another must not meet its group before anybody is in it. */
  private swept: Promise<void> | undefined;

  constructor(private readonly options: KafkaBrokerOptions) {
    super();
    this.producer = new KafkaProducer(options);
    this.admin = new kafkajs.Kafka(clientConfig(options)).admin();
    const knowing = { ...options, socketFactory: knowingForeigners(options.socketFactory) };
    this.pulse = new kafkajs.Kafka(clientConfig(knowing, NO_RETRY)).admin();
  }

  async connect(): Promise<void> {
    await awaitEngine(() => this.probe(), {
      engine: 'Kafka',
      variable: 'KAFKA_BROKERS',
      address: this.options.brokers.join(','),
      withinMs: this.options.waitMs,
      refusal: refusalOf,
    });
    await this.admin.connect();
    this.connected = true;
  }

  /** @throws with what is wrong, where no broker answers now */
  async check(): Promise<void> {
    if (!this.connected) throw new Error('not connected yet');
    await this.pulse.describeCluster();
  }

  async createTopic(name: string, partitions: number): Promise<void> {
    this.own(name, 'topic');
    const { replicationFactor = BROKERS_DEFAULT, retentionMs } = this.options;
    const made = await this.admin
      .createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            replicationFactor,
            configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
          },
        ],
      })
      .catch((error: unknown) => {
        // It is made: the broker that is asked for its leaders then has not heard of it yet.
        if (protocolType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return true;
        throw this.named(error, `topic ${name}`);
      });
    if (made) this.logger.log({ topic: name, partitions }, 'A topic was made');
  }

  async produce(records: readonly OutgoingRecord[]): Promise<void> {
    const topics = new Set(records.map(({ topic }) => topic));
    for (const topic of topics) this.own(topic, 'topic');
    await this.checkExistence([...topics]);
    try {
      await this.producer.send(records);
    } catch (error) {
      if (!REFUSALS.has(protocolType(error) ?? '')) {
        throw this.named(error, `topic ${[...topics].join(', ')}`);
      }
      throw new RecordRefused(rootOf(error).message, { cause: error });
    }
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const { group } = options;
    if (group !== undefined) this.own(group, 'group');
    return group === undefined ? this.subscribeAlone(options) : this.join(group, options);
  }

  async describeTopics(topics: readonly string[]): Promise<TopicDescription[]> {
    return describeTopics(this.admin, await this.existing(topics));
  }

  async describeGroup(group: string, topics: readonly string[]): Promise<GroupDescription> {
    this.own(group, 'group');
    return describeGroup(this.admin, group, await this.existing(topics));
  }

  /** Kafka deletes by itself what is older than a topic's `retention.ms`, and forgets groups nobody is in. */
  prune(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    await this.producer.close();
    await Promise.all([this.admin.disconnect(), this.pulse.disconnect()]);
  }

  private async join(group: string, options: SubscribeOptions): Promise<Subscription> {
    const { topics, from = 'earliest' } = options;
    const old = new Set(from === 'latest' ? await this.existing(topics) : []);
    return this.run(group, options, new GroupPositions(this.admin, group, old));
  }

  /**
   * kafkajs consumes in groups alone: this one has a name that nobody else has, keeps no offsets, and is deleted at the
   * end. What a process that died has left is deleted by the next process that begins.
   */
  private async subscribeAlone(options: SubscribeOptions): Promise<Subscription> {
    await (this.swept ??= this.deleteLeftGroups());
    const positions = new OwnPositions(this.admin);
    // A topic that was just made may not have its leaders yet.
    await outlasting(8, async () => {
      await positions.beginAfter(await this.existing(options.topics));
    });
    const group = `${this.alone}${randomUUID()}`;
    const subscription = await this.run(group, options, positions);
    return {
      assigned: () => subscription.assigned(),
      lag: () => subscription.lag(),
      failure: () => subscription.failure(),
      stop: async () => {
        await subscription.stop();
        await this.deleteGroups([group]);
      },
    };
  }

  private async run(
    groupId: string,
    options: SubscribeOptions,
    positions: GroupPositions | OwnPositions,
  ): Promise<Subscription> {
    const { sessionMs, pollMs } = this.options;
    const subscription = new KafkaSubscription(
      {
        connection: this.options,
        groupId,
        topics: options.topics,
        sessionMs,
        rebalanceMs: Math.max(REBALANCE_MS, 3 * sessionMs),
        pollMs,
        batchSize: options.batchSize ?? 100,
        onBatch: options.onBatch,
        onAssigned: options.onAssigned,
        existing: (topics) => this.existing(topics),
      },
      positions,
    );
    await subscription.start().catch((error: unknown) => {
      throw this.named(error, `group ${groupId}`);
    });
    this.subscriptions.add(subscription);
    return subscription;
  }

  private get alone(): string {
    return `${this.options.service}.broadcast.`;
  }

  /** No reason to fail a start: a coordinator that loads its groups refuses, and the next that begins looks again. */
  private async deleteLeftGroups(): Promise<void> {
    try {
      const { groups } = await this.admin.listGroups();
      const names = groups.map(({ groupId }) => groupId);
      await this.deleteGroups(names.filter((groupId) => groupId.startsWith(this.alone)));
    } catch (error) {
      this.logger.debug({ err: error }, 'Groups that a broadcast has left cannot be looked for');
    }
  }

  /** Those that nobody is in. */
  private async deleteGroups(groups: string[]): Promise<void> {
    if (groups.length === 0) return;
    await this.admin.deleteGroups(groups).catch((error: unknown) => {
      this.logger.debug({ err: error }, 'Not every group of a broadcast could be deleted');
    });
  }

  private async existing(topics: readonly string[]): Promise<string[]> {
    const present = new Set(await this.admin.listTopics());
    const existing = topics.filter((topic) => present.has(topic));
    for (const topic of existing) this.known.add(topic);
    return existing;
  }

  /** kafkajs waits long for a topic that does not exist, and with it would all that is sent together. */
  private async checkExistence(topics: readonly string[]): Promise<void> {
    const unknown = topics.filter((topic) => !this.known.has(topic));
    if (unknown.length === 0) return;
    const existing = new Set(await this.existing(unknown));
    const missing = unknown.filter((topic) => !existing.has(topic));
    if (missing.length > 0) throw new Error(`There is no topic ${missing.join(', ')}`);
  }

  private own(name: string, kind: 'topic' | 'group'): void {
    const { service } = this.options;
    if (name.startsWith(`${service}.`)) return;
    throw new Error(`${service} may not use ${kind} "${name}": it owns ${service}.* alone`);
  }

  /** The error, with the variable to look at where it is one that is wrong. */
  private named(error: unknown, what: string): Error {
    const wrong = refusedSettingOf(error);
    const root = rootOf(error);
    if (wrong === undefined) return error instanceof Error ? error : root;
    const address = this.options.brokers.join(',');
    return new EngineUnusable(
      `Kafka at ${address} (KAFKA_BROKERS) refuses ${what}: ${wrong}: ${root.message}`,
      { cause: error },
    );
  }

  /** Whether the brokers answer this client, without kafkajs' patience. */
  private async probe(): Promise<void> {
    try {
      await this.pulse.connect();
      await this.pulse.describeCluster();
    } catch (error) {
      await this.pulse.disconnect().catch(() => undefined);
      throw error;
    }
  }
}
