import { createHash } from 'node:crypto';

/**
 * Relays that can work side by side on one channel. Fixed: were it changed while rows wait, two relays could send one
 * key's rows out of order.
 */
export const OUTBOX_PARTITIONS = 4;

/** Equal keys, equal partition. */
export function outboxPartitionOf(key: string): number {
  return createHash('md5').update(key).digest().readUInt32BE(0) % OUTBOX_PARTITIONS;
}
