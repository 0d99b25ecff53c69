import type { Pool } from 'pg';

import {
  type BrokerRecord,
  type GroupDescription,
  type OutgoingRecord,
  type PartitionLag,
  RecordRefused,
  type TopicDescription,
  type TopicPartition,
} from '../event-broker.ts';

/** One partition as a member owns it; see groups.sql.ts. */
export interface Ownership extends TopicPartition {
  epoch: bigint;
  committed: bigint;
  head: bigint;
  /** To be let go as soon as what is in hand is done. */
  revoking: boolean;
}

export interface Position extends TopicPartition {
  offset: bigint;
}

export interface Head extends TopicPartition {
  head: bigint;
}

interface OwnershipRow {
  topic: string;
  partition: number;
  epoch: string;
  committed: string;
  head: string;
  revoking: boolean;
}

interface RangeRow {
  topic: string;
  partition: number;
  first: string;
  next: string;
}

interface PositionRow extends RangeRow {
  committed: string | null;
  owner: string | null;
}

interface LogRow {
  topic: string;
  partition: number;
  offset: string;
  key: string;
  value: string | null;
  headers: Record<string, string>;
  source: string;
  appended_at: Date;
}

/** The functions of schema `platform`, typed. */
export class LogClient {
  constructor(private readonly pool: Pool) {}

  async createTopic(name: string, partitions: number): Promise<void> {
    await this.pool.query('SELECT platform.bus_create_topic($1, $2)', [name, partitions]);
  }

  async append(records: readonly OutgoingRecord[]): Promise<void> {
    try {
      await this.pool.query('SELECT platform.bus_append($1, $2, $3, $4::jsonb[])', [
        records.map((record) => record.topic),
        records.map((record) => record.key),
        records.map((record) => record.value),
        records.map((record) => JSON.stringify(record.headers ?? {})),
      ]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      throw new RecordRefused((error as Error).message, { cause: error });
    }
  }

  async fetch(
    positions: readonly Position[],
    limit: number,
    bytes: number,
  ): Promise<BrokerRecord[]> {
    const { rows } = await this.pool.query<LogRow>({
      name: 'bus_fetch',
      text: 'SELECT * FROM platform.bus_fetch($1, $2, $3, $4, $5)',
      values: [
        positions.map((position) => position.topic),
        positions.map((position) => position.partition),
        positions.map((position) => position.offset.toString()),
        limit,
        bytes,
      ],
    });
    return rows.map((row) => ({
      topic: row.topic,
      partition: row.partition,
      offset: BigInt(row.offset),
      key: row.key,
      value: row.value,
      headers: row.headers,
      source: row.source,
      appendedAt: row.appended_at,
    }));
  }

  async heads(topics: readonly string[]): Promise<Head[]> {
    const { rows } = await this.pool.query<{ topic: string; partition: number; head: string }>(
      'SELECT * FROM platform.bus_heads($1)',
      [topics],
    );
    return rows.map((row) => ({ ...row, head: BigInt(row.head) }));
  }

  async sync(request: {
    group: string;
    member: string;
    topics: readonly string[];
    from: 'earliest' | 'latest';
    sessionMs: number;
    released: readonly TopicPartition[];
  }): Promise<Ownership[]> {
    const { rows } = await this.pool.query<OwnershipRow>(
      'SELECT * FROM platform.bus_sync($1, $2, $3, $4, $5, $6, $7)',
      [
        request.group,
        request.member,
        request.topics,
        request.from === 'latest',
        request.sessionMs,
        request.released.map((partition) => partition.topic),
        request.released.map((partition) => partition.partition),
      ],
    );
    return rows.map((row) => ({
      topic: row.topic,
      partition: row.partition,
      epoch: BigInt(row.epoch),
      committed: BigInt(row.committed),
      head: BigInt(row.head),
      revoking: row.revoking,
    }));
  }

  /** False: the ownership is over. */
  async commit(group: string, member: string, owned: Ownership, offset: bigint): Promise<boolean> {
    const { rows } = await this.pool.query<{ kept: boolean }>({
      name: 'bus_commit',
      text: 'SELECT platform.bus_commit($1, $2, $3, $4, $5, $6) AS kept',
      values: [
        group,
        member,
        owned.topic,
        owned.partition,
        owned.epoch.toString(),
        offset.toString(),
      ],
    });
    return rows[0]?.kept ?? false;
  }

  async leave(group: string, member: string): Promise<void> {
    await this.pool.query('SELECT platform.bus_leave($1, $2)', [group, member]);
  }

  async describeTopics(topics: readonly string[]): Promise<TopicDescription[]> {
    const { rows } = await this.pool.query<RangeRow>('SELECT * FROM platform.bus_ranges($1)', [
      topics,
    ]);
    return [...Map.groupBy(rows, (row) => row.topic)].map(([topic, ranges]) => ({
      topic,
      partitions: ranges.map(({ partition, first, next }) => ({
        partition,
        first: BigInt(first),
        next: BigInt(next),
      })),
    }));
  }

  async describeGroup(group: string, topics: readonly string[]): Promise<GroupDescription> {
    const [members, positions] = await Promise.all([
      this.pool.query<{ member: string }>(
        'SELECT member FROM platform.bus_group_members($1) member',
        [group],
      ),
      this.pool.query<PositionRow>('SELECT * FROM platform.bus_group_positions($1, $2)', [
        group,
        topics,
      ]),
    ]);
    return {
      members: members.rows.map((row) => row.member),
      positions: positions.rows.map(({ topic, partition, first, next, committed, owner }) => ({
        ...lagOf({ topic, partition, head: BigInt(next) }, largest(committed ?? first, first)),
        ...(committed !== null && { committed: BigInt(committed) }),
        ...(owner !== null && { owner }),
      })),
    };
  }

  /** Groups that have had no member for so long; returns how many there were. */
  async pruneGroups(olderThanMs: number): Promise<number> {
    const { rows } = await this.pool.query<{ forgotten: string }>(
      'SELECT platform.bus_prune_groups(make_interval(secs => $1)) AS forgotten',
      [olderThanMs / 1000],
    );
    return Number(rows[0]?.forgotten ?? 0);
  }

  async prune(olderThanMs: number, limit: number): Promise<number> {
    const { rows } = await this.pool.query<{ deleted: string }>(
      'SELECT platform.bus_prune(make_interval(secs => $1), $2) AS deleted',
      [olderThanMs / 1000, limit],
    );
    return Number(rows[0]?.deleted ?? 0);
  }
}

export function lagOf(
  owned: Pick<Ownership, 'topic' | 'partition' | 'head'>,
  position: bigint,
): PartitionLag {
  const lag = owned.head - position;
  return { topic: owned.topic, partition: owned.partition, lag: lag > 0n ? lag : 0n };
}

/** Classes of SQLSTATE: data exception (a NUL, half a character), program limit exceeded (too large for an index). */
function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(22|54)/.test(code);
}

function largest(a: string, b: string): bigint {
  return BigInt(a) > BigInt(b) ? BigInt(a) : BigInt(b);
}
