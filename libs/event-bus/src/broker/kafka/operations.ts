import type { Admin } from 'kafkajs';
import kafkajs from 'kafkajs';

import type { GroupDescription, TopicDescription } from '../event-broker.ts';
import { committedOf, nameOf, watermarksOf } from './watermarks.ts';

/** Of topics that exist. */
export async function describeTopics(
  admin: Admin,
  topics: readonly string[],
): Promise<TopicDescription[]> {
  const [watermarks, retentions] = await Promise.all([
    watermarksOf(admin, topics),
    retentionsOf(admin, topics),
  ]);
  return [...topics].sort().map((topic) => {
    const retentionMs = retentions.get(topic);
    return {
      topic,
      partitions: partitionsOf(watermarks.keys(), topic).map((partition) => {
        const { low, high } = watermarks.get(nameOf({ topic, partition })) ?? { low: 0n, high: 0n };
        return { partition, first: low, next: high };
      }),
      ...(retentionMs !== undefined && { retentionMs }),
    };
  });
}

/** Topics exist. */
export async function describeGroup(
  admin: Admin,
  group: string,
  topics: readonly string[],
): Promise<GroupDescription> {
  const [watermarks, committed, { groups }] = await Promise.all([
    watermarksOf(admin, topics),
    committedOf(admin, group, topics),
    admin.describeGroups([group]),
  ]);
  const owners = new Map<string, string>();
  const members = (groups[0]?.members ?? []).map(({ memberId, memberAssignment }) => {
    const assignment = assignmentOf(memberAssignment);
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) owners.set(nameOf({ topic, partition }), memberId);
    }
    return memberId;
  });
  return {
    members,
    positions: [...topics].sort().flatMap((topic) =>
      partitionsOf(watermarks.keys(), topic).map((partition) => {
        const name = nameOf({ topic, partition });
        const { low, high } = watermarks.get(name) ?? { low: 0n, high: 0n };
        const kept = committed.get(name);
        const owner = owners.get(name);
        const at = kept === undefined || kept < low ? low : kept;
        return {
          topic,
          partition,
          lag: high > at ? high - at : 0n,
          ...(kept !== undefined && { committed: kept }),
          ...(owner !== undefined && { owner }),
        };
      }),
    ),
  };
}

function partitionsOf(names: Iterable<string>, topic: string): number[] {
  return [...names]
    .filter((name) => name.slice(0, name.lastIndexOf('/')) === topic)
    .map((name) => Number(name.slice(name.lastIndexOf('/') + 1)))
    .sort((a, b) => a - b);
}

/** Empty while the group is between two plans. */
function assignmentOf(encoded: Buffer): Record<string, number[]> {
  if (encoded.length === 0) return {};
  return kafkajs.AssignerProtocol.MemberAssignment.decode(encoded)?.assignment ?? {};
}

async function retentionsOf(admin: Admin, topics: readonly string[]): Promise<Map<string, number>> {
  if (topics.length === 0) return new Map();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: ['retention.ms'],
    })),
  });
  return new Map(
    resources.flatMap(({ resourceName, configEntries }) => {
      const value = Number(configEntries[0]?.configValue);
      return value > 0 ? [[resourceName, value] as const] : [];
    }),
  );
}
