import { configOf, envInteger } from '@gatehouse/kernel';
import { z } from 'zod';

/** Audit's own settings; those of the libraries are theirs. */
export class AuditConfig extends configOf({
  /** Entries that wait for the sequencer in this process; more are refused with 503, and their senders try again. */
  AUDIT_MAX_WAITING: z.coerce.number().int().min(1).default(20_000).meta({ example: '20000' }),
  /** Entries of one commit. */
  AUDIT_MAX_BATCH: envInteger(2000, 1, 5000),
}) {}
