import type { Cluster, PartitionAssigner } from 'kafkajs';
import kafkajs from 'kafkajs';

const { AssignerProtocol } = kafkajs;
const NAME = 'gatehouse';
const VERSION = 1;

/**
 * Gives each partition to a member that subscribes to its topic, as evenly as that allows. The assigner of kafkajs knows
 * the leader's topics alone: while members of two releases share a group it gives partitions to members that do not read
 * them, and nobody does.
 *
 * `beforeJoin` is awaited each time before this member joins again, which ends its present ownership: the time to end
 * what is in hand and to commit it. kafkajs has no hook for that; the assigner is where it hands out the `Cluster` through
 * which every join begins by asking for the coordinator.
 */
export function subscribedAssigner(beforeJoin: () => Promise<void>): PartitionAssigner {
  return ({ cluster }) => {
    joinAfter(cluster, beforeJoin);
    return {
      name: NAME,
      version: VERSION,
      async assign({ members }) {
        const subscribed = members.map(({ memberId, memberMetadata }) => ({
          memberId,
          topics: new Set(AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics),
        }));
        const topics = [...new Set(subscribed.flatMap((member) => [...member.topics]))].sort();
        await cluster.addMultipleTargetTopics(topics);
        const partitions = topics.flatMap((topic) =>
          cluster
            .findTopicPartitionMetadata(topic)
            .map(({ partitionId }) => ({ topic, partition: partitionId }))
            .sort((a, b) => a.partition - b.partition),
        );
        return [...assignEvenly(subscribed, partitions)].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: VERSION,
            assignment,
            userData: Buffer.alloc(0),
          }),
        }));
      },
      protocol: ({ topics }) => ({
        name: NAME,
        metadata: AssignerProtocol.MemberMetadata.encode({
          version: VERSION,
          topics,
          userData: Buffer.alloc(0),
        }),
      }),
    };
  };
}

interface Subscribed {
  memberId: string;
  topics: ReadonlySet<string>;
}

/** Each partition goes to the least loaded of those that subscribe to its topic; every member has an entry. */
export function assignEvenly(
  members: readonly Subscribed[],
  partitions: readonly { topic: string; partition: number }[],
): Map<string, Record<string, number[]>> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const plan = new Map<string, Record<string, number[]>>();
  for (const { memberId } of sorted) plan.set(memberId, {});
  const load = new Map(sorted.map(({ memberId }) => [memberId, 0]));
  for (const { topic, partition } of partitions) {
    let least: string | undefined;
    for (const { memberId, topics } of sorted) {
      if (!topics.has(topic)) continue;
      if (least === undefined || (load.get(memberId) ?? 0) < (load.get(least) ?? 0)) {
        least = memberId;
      }
    }
    if (least === undefined) continue;
    load.set(least, (load.get(least) ?? 0) + 1);
    const assignment: Record<string, number[]> = plan.get(least) ?? {};
    (assignment[topic] ??= []).push(partition);
  }
  return plan;
}

function joinAfter(cluster: Cluster, beforeJoin: () => Promise<void>): void {
  const find = cluster.findGroupCoordinator.bind(cluster);
  cluster.findGroupCoordinator = async (group) => {
    await beforeJoin();
    try {
      return await find(group);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'KafkaJSGroupCoordinatorNotFound')
        throw error;
      await askForCoordinator(cluster, group);
      throw error;
    }
  };
}

/**
 * kafkajs asks every broker, and keeps what they answered to itself: a missing right looks like a broker that is away, and
 * is waited for without an end.
 * @throws what a broker answers
 */
async function askForCoordinator(cluster: Cluster, group: { groupId: string }): Promise<void> {
  const broker = (await cluster.findControllerBroker()) as unknown as {
    findGroupCoordinator(group: { groupId: string; coordinatorType: 0 }): Promise<unknown>;
  };
  await broker.findGroupCoordinator({ ...group, coordinatorType: 0 });
}
