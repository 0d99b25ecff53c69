import { PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

export const DeadLettersQuery = z.strictObject({
  ...PageQuery,
  consumer: z.string().min(1).max(128).optional().describe('Only those of this consumer'),
});
export type DeadLettersQuery = z.infer<typeof DeadLettersQuery>;

export const DeadLetterId = z.uuid();

const Time = z.iso.datetime();

export const DeadLetterView = z
  .object({
    id: z.uuid(),
    consumer: z.string(),
    topic: z.string(),
    key: z.string().describe('Parked for this consumer: later events of the key wait'),
    event_id: z.string(),
    event_type: z.string().nullable(),
    attempts: z.int(),
    reason: z.looseObject({ code: z.string() }).nullable(),
    value: z.string().describe('The record as it came'),
    partition: z.int(),
    offset: z.string(),
    held_at: Time,
    failed_at: Time.nullable(),
  })
  .meta({ id: 'DeadLetter' });

export const DeadLetterPage = z.object({
  items: z.array(DeadLetterView),
  next_page_token: z.string().nullable(),
});

export const ReplayView = z.object({
  outcome: z
    .enum(['handled', 'failed', 'pending'])
    .describe('`pending`: another instance tries it, or its verdict is not known yet'),
});
