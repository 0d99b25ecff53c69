import type { Admin } from 'kafkajs';

import type { TopicPartition } from '../event-broker.ts';

/** What lies in a partition: offsets of its first record and of the next one to come. */
export interface Watermarks {
  low: bigint;
  high: bigint;
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** By `nameOf`. @throws where one of the topics does not exist */
export async function watermarksOf(
  admin: Admin,
  topics: readonly string[],
): Promise<Map<string, Watermarks>> {
  const found = new Map<string, Watermarks>();
  for (const topic of topics) {
    for (const { partition, low, high } of await offsetsOf(admin, topic)) {
      found.set(nameOf({ topic, partition }), { low: BigInt(low), high: BigInt(high) });
    }
  }
  return found;
}

const TRIES = 5;

/**
 * kafkajs 2 keeps metadata of the topics that a client has asked about, and two questions at once may leave it with those of
 * the other alone: then it finds no partitions, and reads a member of nothing. Asked again it has them.
 */
async function offsetsOf(admin: Admin, topic: string, tries = TRIES) {
  try {
    return await admin.fetchTopicOffsets(topic);
  } catch (error) {
    if (!(error instanceof TypeError) || tries === 1) throw error;
    return offsetsOf(admin, topic, tries - 1);
  }
}

/** Offsets that a group has kept, by `nameOf`; nothing for a partition of which it has kept none. */
export async function committedOf(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
    for (const { partition, offset } of partitions) {
      if (BigInt(offset) >= 0n) found.set(nameOf({ topic, partition }), BigInt(offset));
    }
  }
  return found;
}
