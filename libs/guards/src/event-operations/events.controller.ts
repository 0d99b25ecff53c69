import type { ConsumerState, TopicState } from '@gatehouse/event-bus';
import { Answers } from '@gatehouse/kernel';
import { Controller, Get, Query } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

import { RateLimit } from '../decorators/rate-limit.decorator.ts';
import {
  ConsumersView,
  OutboxView,
  ParkedKeyPage,
  ParkedKeysQuery,
  TopicsView,
} from './events.schemas.ts';

/** What stands in the bus of this service. Path and permission are written on this class by `EventOperationsModule`. */
@Controller()
export class EventsController {
  constructor(private readonly references: ModuleRef) {}

  @Get('topics')
  @RateLimit({ limit: 300, per: '1m', by: 'principal' })
  @Answers(200, TopicsView, 'The topics this service publishes to')
  async topics() {
    const { operations } = await this.parts();
    return { items: (await operations.topics()).map(topicView) };
  }

  @Get('consumers')
  @RateLimit({ limit: 300, per: '1m', by: 'principal' })
  @Answers(
    200,
    ConsumersView,
    'The consumers of this service, how far each has come and who owns what',
  )
  async consumers() {
    const { operations } = await this.parts();
    return { items: (await operations.consumers()).map(consumerView) };
  }

  @Get('outbox')
  @RateLimit({ limit: 300, per: '1m', by: 'principal' })
  @Answers(200, OutboxView, 'What is committed and not yet sent, by channel')
  async outbox() {
    const { operations } = await this.parts();
    const channels = await operations.outbox();
    return {
      items: channels.map(({ channel, depth, oldestSeconds, deadLetters, parkedKeys }) => ({
        channel,
        depth,
        oldest_age_seconds: oldestSeconds,
        dead_letters: deadLetters,
        parked_keys: parkedKeys,
      })),
    };
  }

  @Get('parked-keys')
  @RateLimit({ limit: 300, per: '1m', by: 'principal' })
  @Answers(200, ParkedKeyPage, 'Keys whose events wait, the longest parked first')
  async parkedKeys(@Query({ schema: ParkedKeysQuery }) query: ParkedKeysQuery) {
    const { page_size: size, page_token: token, consumer } = query;
    const { operations, tokens } = await this.parts();
    const bound = ['parked keys', consumer ?? null];
    const [after] = token === undefined ? [] : tokens.read(token, bound);
    const found = await operations.parkedKeys({
      limit: size + 1,
      ...(consumer === undefined ? {} : { consumer }),
      ...(after === undefined ? {} : { after }),
    });
    const page = found.slice(0, size);
    const last = page.at(-1);
    const more = found.length > size && last !== undefined;
    return {
      items: page.map((parked) => ({
        consumer: parked.consumer,
        topic: parked.topic,
        key: parked.key,
        since: parked.since,
        state: parked.state,
        attempts: parked.attempts,
        due_at: parked.dueAt,
        waiting: parked.waiting,
        dead_letter_id: parked.deadLetterId,
      })),
      next_page_token: more ? tokens.issue([last.place], bound) : null,
    };
  }

  private async parts() {
    const { eventOperationsParts } = await import('./event-operations.parts.ts');
    return eventOperationsParts(this.references);
  }
}

function topicView({ topic, partitions, retentionMs }: TopicState) {
  return {
    topic,
    retention_seconds: Math.round(retentionMs / 1000),
    records: partitions.reduce((sum, { first, next }) => sum + Number(next - first), 0),
    partitions: partitions.map(({ partition, first, next }) => ({
      partition,
      first_offset: first.toString(),
      next_offset: next.toString(),
    })),
  };
}

function consumerView(consumer: ConsumerState) {
  const { name, mode, topics, types, members, positions, deadLetters, parkedKeys } = consumer;
  return {
    consumer: name,
    mode: mode ?? null,
    topics,
    types,
    members,
    lag: mode === 'group' ? positions.reduce((sum, { lag }) => sum + Number(lag), 0) : null,
    partitions: positions.map(({ topic, partition, committed, lag, owner }) => ({
      topic,
      partition,
      committed_offset: committed?.toString() ?? null,
      lag: Number(lag),
      owner: owner ?? null,
    })),
    dead_letters: deadLetters,
    parked_keys: parkedKeys,
  };
}
