import { createHash } from 'node:crypto';

/** As the event bus draws it (libs/event-bus/src/outbox/outbox-partition.ts). */
export function outboxPartitionOf(key) {
  return createHash('md5').update(key).digest().readUInt32BE(0) % 4;
}
