import { Timestamp, TimestampInput } from '@gatehouse/kernel';
import { PageQuery, pageOf } from '@gatehouse/persistence';
import { z } from 'zod';

/** One call answers within its deadline: what it cannot do in that time is left for the next. */
export const MAX_BATCH = 100;

const ConsumerName = z.string().min(1).max(128);

const Filter = {
  consumer: ConsumerName.optional().describe('Only those of this consumer'),
  type: z.string().min(1).max(256).optional().describe('Only events of this type'),
  reason: z.string().min(1).max(128).optional().describe('Only those whose reason has this code'),
  failed_from: TimestampInput.optional().describe(
    'Only those that failed last at this time or later',
  ),
  failed_before: TimestampInput.optional().describe('Only those that failed last before this time'),
};

export const DeadLettersQuery = z.strictObject({ ...PageQuery, ...Filter });
export type DeadLettersQuery = z.infer<typeof DeadLettersQuery>;

export const DeadLetterFilterBody = z.strictObject(Filter);
export type DeadLetterFilterBody = z.infer<typeof DeadLetterFilterBody>;

export const DeadLetterId = z.uuid();

/** Either the letters by their ids, or the oldest that fit a filter; an empty filter is all. */
export const DeadLetterSelectionBody = z
  .strictObject({
    ids: z.array(DeadLetterId).min(1).max(MAX_BATCH).optional().describe('These'),
    filter: DeadLetterFilterBody.optional().describe(
      'Instead of `ids`: those that fit all that it says, oldest first; `{}` is every dead letter',
    ),
    limit: z.int().min(1).max(MAX_BATCH).default(MAX_BATCH).describe('Of a filter, so many'),
    page_token: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe('Of a filter: `next_page_token` of the call before, of the same filter'),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), {
    error: 'Say either `ids` or `filter`',
  })
  .meta({ id: 'DeadLetterSelection' });
export type DeadLetterSelectionBody = z.infer<typeof DeadLetterSelectionBody>;

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
    held_at: Timestamp,
    failed_at: Timestamp.nullable(),
  })
  .meta({ id: 'DeadLetter' });

export const DeadLetterDetailView = DeadLetterView.extend({
  waiting: z.int().describe('Events of its key that wait behind it'),
}).meta({ id: 'DeadLetterDetail' });

export const DeadLetterPage = pageOf(DeadLetterView);

const PENDING = '`pending`: another instance tries it, or its verdict is not known yet';

export const ReplayView = z.object({
  outcome: z.enum(['handled', 'failed', 'pending']).describe(PENDING),
});

const GONE =
  '`gone`: there is no such dead letter any more; `untouched`: there was no time left for it, ask again';

function batchOf(outcomes: readonly [string, ...string[]], description: string) {
  return z.object({
    items: z.array(z.object({ id: z.uuid(), outcome: z.enum(outcomes).describe(description) })),
    next_page_token: z
      .string()
      .nullable()
      .describe('Of a filter: there are more behind these. Null: there are none, or it was by ids'),
  });
}

export const ReplayBatchView = batchOf(
  ['handled', 'failed', 'pending', 'gone', 'untouched'],
  `${PENDING}; ${GONE}`,
);
export const DiscardBatchView = batchOf(['discarded', 'gone', 'untouched'], GONE);
