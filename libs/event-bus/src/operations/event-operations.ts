import type { EventCatalogue } from '@gatehouse/contracts-platform';
import { ServiceInfo } from '@gatehouse/kernel';
import { Inject, Injectable } from '@nestjs/common';

import { EventBroker, type GroupPosition, type TopicDescription } from '../broker/event-broker.ts';
import { EventBusConfig } from '../config/event-bus.config.ts';
import type { Consumer } from '../consume/consumer.ts';
import { ConsumerRegistry } from '../consume/consumer.registry.ts';
import { HeldEventsStore } from '../consume/held-events.store.ts';
import type { ConsumerMode } from '../consume/on-integration-event.decorator.ts';
import { channelOf, outboxConsumer } from '../outbox/outbox-consumer.ts';
import { OutboxRelay } from '../outbox/outbox-relay.ts';
import { type OutboxDepth, OutboxStore } from '../outbox/outbox.store.ts';
import { EVENT_CATALOGUES } from '../publish/event-drafts.ts';
import { type ParkedKey, ParkedKeys, type ParkedKeysQuery } from './parked-keys.ts';

const HOUR_MS = 3_600_000;

export interface TopicState extends TopicDescription {
  /** How long a record is kept, by the broker or by the service's own upkeep. */
  retentionMs: number;
}

export interface ConsumerState {
  name: string;
  /** Undefined: this version of the service has no such consumer; rows of an earlier one are left. */
  mode?: ConsumerMode;
  topics: readonly string[];
  types: readonly string[];
  /** Of the whole group; none in mode `broadcast`, where each instance stands alone. */
  members: readonly string[];
  positions: readonly GroupPosition[];
  deadLetters: number;
  parkedKeys: number;
}

export interface ChannelState extends OutboxDepth {
  /** Rows that the channel's sink refused for good: dead letters of consumer `outbox:<channel>`. */
  deadLetters: number;
  /** Keys whose later rows wait behind such a one. */
  parkedKeys: number;
}

/** What operators see of the bus of this service, the same from each of its instances. */
@Injectable()
export class EventOperations {
  constructor(
    private readonly broker: EventBroker,
    private readonly registry: ConsumerRegistry,
    private readonly held: HeldEventsStore,
    private readonly parked: ParkedKeys,
    private readonly relay: OutboxRelay,
    private readonly store: OutboxStore,
    private readonly service: ServiceInfo,
    private readonly config: EventBusConfig,
    @Inject(EVENT_CATALOGUES) private readonly catalogues: readonly EventCatalogue[],
  ) {}

  /** The topics the service publishes to. */
  async topics(): Promise<TopicState[]> {
    const own = this.catalogues.flatMap((catalogue) => catalogue.topics);
    const kept = this.config.EVENT_RETENTION_HOURS * HOUR_MS;
    return (await this.broker.describeTopics(own)).map((topic) => ({
      ...topic,
      retentionMs: topic.retentionMs ?? kept,
    }));
  }

  /** By name: those that this version has, then those that only left dead letters or parked keys behind. */
  async consumers(): Promise<ConsumerState[]> {
    const counts = new Map((await this.held.counts()).map((count) => [count.consumer, count]));
    const countsOf = (name: string) => ({
      deadLetters: counts.get(name)?.dead ?? 0,
      parkedKeys: counts.get(name)?.keys ?? 0,
    });
    const present = await Promise.all(
      this.registry.all().map(async (consumer) => ({
        name: consumer.name,
        mode: consumer.mode,
        topics: consumer.topics,
        types: [...consumer.handlers.keys()].sort(),
        ...(await this.groupOf(consumer)),
        ...countsOf(consumer.name),
      })),
    );
    const gone = [...counts.keys()]
      .filter((name) => channelOf(name) === undefined)
      .filter((name) => !present.some((consumer) => consumer.name === name))
      .map((name) => ({
        name,
        topics: [],
        types: [],
        members: [],
        positions: [],
        ...countsOf(name),
      }));
    return [...present.sort(byName), ...gone.sort(byName)];
  }

  /** Keys whose events wait, for a next try or for an operator; the longest parked first. */
  parkedKeys(query: ParkedKeysQuery = {}): Promise<ParkedKey[]> {
    return this.parked.list(query);
  }

  /** What is committed and not yet sent, by channel, and what was refused for good. */
  async outbox(): Promise<ChannelState[]> {
    const [depths, counts] = await Promise.all([
      this.store.depths(this.relay.channels),
      this.held.counts(),
    ]);
    return depths.map((depth) => {
      const held = counts.find(({ consumer }) => consumer === outboxConsumer(depth.channel));
      return { ...depth, deadLetters: held?.dead ?? 0, parkedKeys: held?.keys ?? 0 };
    });
  }

  private async groupOf(consumer: Consumer): Promise<Pick<ConsumerState, 'members' | 'positions'>> {
    if (consumer.mode === 'broadcast') return { members: [], positions: [] };
    return this.broker.describeGroup(`${this.service.name}.${consumer.name}`, consumer.topics);
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}
