import { randomUUID } from 'node:crypto';

import type { TopicPartition } from '../event-broker.ts';
import type { LogClient, Ownership } from './log.client.ts';

/** Where a subscription's partitions come from and where its offsets go. */
export interface PartitionSource {
  /** Gives back what was let go; returns what is owned now. */
  refresh(released: readonly TopicPartition[]): Promise<Ownership[]>;
  /** False: not ours any more. */
  commit(owned: Ownership, offset: bigint): Promise<boolean>;
  leave(): Promise<void>;
}

/** One member of a group. */
export class GroupMembership implements PartitionSource {
  readonly member: string;

  constructor(
    private readonly log: LogClient,
    private readonly options: {
      group: string;
      topics: readonly string[];
      from: 'earliest' | 'latest';
      sessionMs: number;
      clientId: string;
    },
  ) {
    this.member = `${options.clientId}/${randomUUID()}`;
  }

  refresh(released: readonly TopicPartition[]): Promise<Ownership[]> {
    return this.log.sync({ ...this.options, member: this.member, released });
  }

  commit(owned: Ownership, offset: bigint): Promise<boolean> {
    return this.log.commit(this.options.group, this.member, owned, offset);
  }

  leave(): Promise<void> {
    return this.log.leave(this.options.group, this.member);
  }
}

/** Every partition, from its end on; what appears later, from its beginning. Keeps nothing. */
export class EveryPartition implements PartitionSource {
  private started: Map<string, bigint> | undefined;

  constructor(
    private readonly log: LogClient,
    private readonly topics: readonly string[],
  ) {}

  async refresh(): Promise<Ownership[]> {
    const heads = await this.log.heads(this.topics);
    this.started ??= new Map(heads.map((at) => [`${at.topic}/${at.partition}`, at.head]));
    const started = this.started;
    return heads.map((at) => ({
      ...at,
      epoch: 0n,
      committed: started.get(`${at.topic}/${at.partition}`) ?? 0n,
      revoking: false,
    }));
  }

  commit(): Promise<boolean> {
    return Promise.resolve(true);
  }

  leave(): Promise<void> {
    return Promise.resolve();
  }
}
