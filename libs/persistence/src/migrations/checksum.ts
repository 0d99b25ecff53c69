import { createHash } from 'node:crypto';
import type { Migration } from './migration.ts';

/** Null for a function: its text says nothing dependable about what it does. */
export function checksumOf(migration: Migration): string | null {
  if (typeof migration.up !== 'string') return null;
  return createHash('sha256').update(migration.up).digest('hex');
}
