import { Timestamp, TimestampInput, Uuid } from '@gatehouse/kernel';
import { pageOf, PageQuery } from '@gatehouse/persistence';
import { z } from 'zod';

const OutcomeText = z.enum(['success', 'failure', 'denied']);

export const EntryBody = z
  .object({
    id: Uuid,
    index: z.int().min(0).describe('Place in the log, from 0'),
    occurred_at: Timestamp,
    recorded_at: Timestamp,
    recorded_by: z.string().describe('The service that sent it, by its own signature'),
    actor: z.object({
      type: z.enum(['user', 'service', 'anonymous']),
      id: z.string(),
      session_id: z.string(),
    }),
    action: z.string().meta({ example: 'identity.user.update' }),
    target: z.object({ type: z.string(), id: z.string() }),
    outcome: OutcomeText,
    reason: z.string().describe('The error code of a failure or denial'),
    organization_id: Uuid.nullable(),
    metadata: z.record(z.string(), z.unknown()),
    personal: z
      .record(z.string(), z.string().nullable())
      .describe('Values about a person; null where the person was erased'),
    request_id: z.string(),
    trace_id: z.string(),
    leaf_hash: z.string().describe('SHA-256 of the entry as RFC 9162 hashes a leaf, in hex'),
  })
  .meta({ id: 'AuditEntry' });
export type EntryView = z.infer<typeof EntryBody>;

export const EntryPage = pageOf(EntryBody).meta({ id: 'AuditEntryPage' });

const Text = z
  .string()
  .min(1)
  .max(500)
  .refine((value) => !value.includes('\0'), 'Holds a NUL character');

export const ListEntriesQuery = z.strictObject({
  ...PageQuery,
  actor: Text.optional().describe('Id of the user or service account'),
  action: Text.optional(),
  target: Text.optional().describe('Id of what was acted upon'),
  outcome: OutcomeText.optional(),
  trace_id: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'Is not a trace id: 32 lower-case hex digits')
    .optional()
    .describe('The trace id of an answer: the second field of its `traceparent`'),
  from: TimestampInput.optional().describe('Occurred at this time or later'),
  to: TimestampInput.optional().describe('Occurred before this time'),
});
export type ListEntriesQuery = z.infer<typeof ListEntriesQuery>;
