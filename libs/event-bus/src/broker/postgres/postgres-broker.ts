import { followAddress, type PostgresAddress, postgresConnection } from '@gatehouse/persistence';
import { Logger } from '@nestjs/common';
import { Pool } from 'pg';

import { EventBroker } from '../event-broker.ts';
import type {
  GroupDescription,
  OutgoingRecord,
  SubscribeOptions,
  Subscription,
  TopicDescription,
} from '../event-broker.ts';
import type { Listener } from './listener.ts';
import { LogClient } from './log.client.ts';
import { EveryPartition, GroupMembership } from './partition-source.ts';
import { PostgresSubscription, type SubscriptionTiming } from './postgres-subscription.ts';

/** The channel of the log's own writer; see log.sql.ts. */
const CHANNEL = 'gatehouse_log';
/** One append holds its partitions' locks: a long list goes in several. */
const APPEND_RECORDS = 500;
const PRUNE_RECORDS = 5_000;
/** Fetches, appends and commits are short; more connections would only cost memory. */
const CONNECTIONS = 3;

export interface PostgresBrokerOptions extends SubscriptionTiming {
  address: PostgresAddress;
  applicationName: string;
  /** Names this process among the members of a group. Default: the application's name. */
  clientId?: string;
}

/**
 * The broker of the embedded profile: a log in the platform's own PostgreSQL (schema `platform`, see log.sql.ts and
 * groups.sql.ts). Connects as the service's role, whose name is the source of everything it appends.
 */
export class PostgresBroker extends EventBroker {
  private readonly logger = new Logger(PostgresBroker.name);
  private readonly subscriptions = new Set<PostgresSubscription>();
  private readonly pool: Pool;
  private readonly log: LogClient;

  /** The listener is shared, and closed by whoever made it. */
  constructor(
    private readonly options: PostgresBrokerOptions,
    private readonly listener: Listener,
  ) {
    super();
    this.pool = new Pool({
      ...postgresConnection(options.address),
      application_name: options.applicationName,
      max: CONNECTIONS,
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    // Not the error itself: pg hangs the whole client on it.
    this.pool.on('error', ({ message }) => this.logger.warn(`A connection was lost: ${message}`));
    followAddress(this.pool, options.address);
    this.log = new LogClient(this.pool);
  }

  async connect(): Promise<void> {
    await this.log.heads([]);
  }

  createTopic(name: string, partitions: number): Promise<void> {
    return this.log.createTopic(name, partitions);
  }

  async produce(records: readonly OutgoingRecord[]): Promise<void> {
    for (let start = 0; start < records.length; start += APPEND_RECORDS) {
      await this.log.append(records.slice(start, start + APPEND_RECORDS));
    }
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const { group, topics, from = 'earliest' } = options;
    const { sessionMs, clientId = this.options.applicationName } = this.options;
    const source =
      group === undefined
        ? new EveryPartition(this.log, topics)
        : new GroupMembership(this.log, { group, topics, from, sessionMs, clientId });
    const subscription = new PostgresSubscription(this.log, source, options, this.options);
    await subscription.start();
    const deafen = this.listener.on(CHANNEL, (payload) => subscription.heard(payload));
    this.subscriptions.add(subscription);
    return {
      assigned: () => subscription.assigned(),
      lag: () => subscription.lag(),
      failure: () => subscription.failure(),
      stop: async () => {
        deafen();
        await subscription.stop();
        this.subscriptions.delete(subscription);
      },
    };
  }

  describeTopics(topics: readonly string[]): Promise<TopicDescription[]> {
    return this.log.describeTopics(topics);
  }

  describeGroup(group: string, topics: readonly string[]): Promise<GroupDescription> {
    return this.log.describeGroup(group, topics);
  }

  async prune(olderThanMs: number): Promise<void> {
    while ((await this.log.prune(olderThanMs, PRUNE_RECORDS)) > 0);
    const forgotten = await this.log.pruneGroups(olderThanMs);
    if (forgotten > 0) this.logger.log(`Forgot ${forgotten} groups that nobody was in any more`);
  }

  async close(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.stop()));
    this.subscriptions.clear();
    await this.pool.end();
  }
}
