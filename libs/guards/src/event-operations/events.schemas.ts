import { Timestamp } from '@gatehouse/kernel';
import { PageQuery, pageOf } from '@gatehouse/persistence';
import { z } from 'zod';

export const TopicView = z
  .object({
    topic: z.string(),
    retention_seconds: z.int().describe('How long a record is kept'),
    records: z.int().describe('Records between the first and the next offset of its partitions'),
    partitions: z.array(
      z.object({
        partition: z.int(),
        first_offset: z.string().describe('Of the first record that is still there'),
        next_offset: z.string().describe('Of the record that comes next'),
      }),
    ),
  })
  .meta({ id: 'EventTopic' });

export const TopicsView = z.object({ items: z.array(TopicView) });

export const ConsumerView = z
  .object({
    consumer: z.string(),
    mode: z
      .enum(['group', 'broadcast'])
      .nullable()
      .describe('Null: this version has no such consumer, an earlier one left rows behind'),
    topics: z.array(z.string()),
    types: z.array(z.string()),
    members: z.array(z.string()).describe('Of the group, over all instances'),
    lag: z
      .int()
      .nullable()
      .describe('Records appended and not yet settled, of the whole group; null without a group'),
    partitions: z.array(
      z.object({
        topic: z.string(),
        partition: z.int(),
        committed_offset: z.string().nullable(),
        lag: z.int(),
        owner: z.string().nullable().describe('Null: nobody reads it now'),
      }),
    ),
    dead_letters: z.int(),
    parked_keys: z.int(),
  })
  .meta({ id: 'EventConsumer' });

export const ConsumersView = z.object({ items: z.array(ConsumerView) });

export const OutboxChannelView = z
  .object({
    channel: z.string(),
    depth: z.int().describe('Rows that wait to be sent, counted up to 10,000'),
    oldest_age_seconds: z.number(),
    dead_letters: z
      .int()
      .describe('Rows that will never be taken; dead letters of consumer `outbox:<channel>`'),
    parked_keys: z.int().describe('Keys whose later rows wait behind such a one'),
  })
  .meta({ id: 'OutboxChannel' });

export const OutboxView = z.object({ items: z.array(OutboxChannelView) });

export const ParkedKeysQuery = z.strictObject({
  ...PageQuery,
  consumer: z.string().min(1).max(128).optional().describe('Only those of this consumer'),
});
export type ParkedKeysQuery = z.infer<typeof ParkedKeysQuery>;

export const ParkedKeyView = z
  .object({
    consumer: z.string(),
    topic: z.string(),
    key: z.string(),
    since: Timestamp.describe('When the event at the head of the line was put there'),
    state: z
      .enum(['pending', 'dead'])
      .describe('`pending`: tried again at `due_at`; `dead`: waits for a replay or a discard'),
    attempts: z.int(),
    due_at: Timestamp.nullable(),
    waiting: z.int().describe('Events behind the first'),
    dead_letter_id: z.uuid().nullable(),
  })
  .meta({ id: 'ParkedKey' });

export const ParkedKeyPage = pageOf(ParkedKeyView);
