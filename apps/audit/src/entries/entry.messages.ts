import { Outcome } from '@gatehouse/contracts-audit';
import { Uuid } from '@gatehouse/kernel';
import { z } from 'zod';

import { MetadataRefused, parseMetadata } from './metadata.ts';

/** Search columns and leaf members take no NUL (which text columns cannot hold). */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'Holds a NUL character')
    .transform((value) => value.toWellFormed());

const OUTCOMES = {
  [Outcome.OUTCOME_SUCCESS]: 'success',
  [Outcome.OUTCOME_FAILURE]: 'failure',
  [Outcome.OUTCOME_DENIED]: 'denied',
} as const;

const MAX_METADATA_BYTES = 16 * 1024;

const Metadata = z
  .string()
  .refine((value) => Buffer.byteLength(value) <= MAX_METADATA_BYTES, 'Larger than 16 KiB')
  .transform((value, context): Record<string, unknown> => {
    try {
      return parseMetadata(value);
    } catch (error) {
      if (!(error instanceof MetadataRefused)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/** Years of four digits: what RFC 3339 can write. */
const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An entry as `Record` and `RecordBatch` bring it. */
export const EntryMessage = z.object({
  id: Uuid,
  occurredAt: z
    .object({ seconds: z.number().int(), nanos: z.number().int().min(0).max(999_999_999) })
    .transform(({ seconds, nanos }) => new Date(seconds * 1000 + Math.floor(nanos / 1e6)))
    .refine((date) => date.getTime() >= EARLIEST && date.getTime() <= LATEST, 'Not a time'),
  actor: z.object({
    type: z.enum(['user', 'service', 'anonymous']),
    id: text(200),
    sessionId: text(200),
  }),
  action: z
    .string()
    .max(200)
    .regex(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*){2}$/, 'Of the form <service>.<resource>.<action>'),
  target: z
    .object({ type: text(100), id: text(500) })
    .nullish()
    .transform((target) => target ?? { type: '', id: '' }),
  outcome: z
    .enum(Outcome)
    .exclude(['OUTCOME_UNSPECIFIED'])
    .transform((value) => OUTCOMES[value]),
  reason: text(200),
  organizationId: z.union([z.literal('').transform(() => null), Uuid]),
  metadataJson: Metadata,
  personal: z
    .array(
      z.object({ subjectId: Uuid, name: text(100).pipe(z.string().min(1)), value: text(2000) }),
    )
    .max(20)
    .refine(
      (fields) => new Set(fields.map(({ name }) => name)).size === fields.length,
      'A name stands twice',
    ),
  requestId: text(200),
  traceId: text(64),
});
export type EntryMessage = z.infer<typeof EntryMessage>;

export const MAX_BATCH = 500;

export const RecordMessage = z.object({ entry: EntryMessage });
export const RecordBatchMessage = z.object({ entries: z.array(EntryMessage).max(MAX_BATCH) });
