import { Database, Transactional } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

import { type CanonicalLeaf, type Leaf, leafHash } from './leaf.ts';

/** What became of an entry: its leaf index, and whether this call appended it. */
export interface Appended {
  index: number;
  isNew: boolean;
  /** Another entry had the id already: this one was not appended. */
  conflict: boolean;
}

/** Members by which a repeat of an entry is told from another entry with its id. */
interface Known {
  id: string;
  leaf_index: number;
  recorded_by: string;
  action: string;
  actor_id: string;
  target_id: string;
  occurred_at: Date;
}

interface Indexed extends CanonicalLeaf {
  index: number;
}

/**
 * The table of leaves. One appender at a time, across instances: a transaction's lock goes with its COMMIT, so the next
 * one sees every leaf before its own, and indexes have no gap. Were two to believe themselves alone, the primary key
 * would refuse the second.
 */
@Injectable()
export class LogTable {
  constructor(private readonly database: Database) {}

  /** Appends those whose id is not there yet. @returns one result for each, in the order given */
  @Transactional()
  async append(leaves: readonly CanonicalLeaf[]): Promise<Appended[]> {
    await this.database.query(`SELECT pg_advisory_xact_lock(hashtextextended('audit log', 0))`);
    const known = await this.known(leaves.map(({ leaf }) => leaf.id));
    let next = await this.size();
    const fresh = new Map<string, Indexed>();
    const results = leaves.map(({ leaf, bytes }): Appended => {
      const before = known.get(leaf.id);
      if (before)
        return { index: before.leaf_index, isNew: false, conflict: !isRepeat(leaf, before) };
      const twin = fresh.get(leaf.id);
      if (twin) return { index: twin.index, isNew: false, conflict: false };
      const index = next;
      next += 1;
      fresh.set(leaf.id, { leaf, bytes, index });
      return { index, isNew: true, conflict: false };
    });
    if (fresh.size > 0) await this.insert([...fresh.values()]);
    return results;
  }

  /** How many leaves there are. */
  async size(): Promise<number> {
    const [row] = await this.database.query<{ size: number }>(
      `SELECT coalesce(max(leaf_index) + 1, 0) AS size FROM entries`,
    );
    return row?.size ?? 0;
  }

  private async known(ids: readonly string[]): Promise<Map<string, Known>> {
    const rows = await this.database.query<Known>(
      `SELECT id, leaf_index, recorded_by, action, actor_id, target_id, occurred_at
       FROM entries WHERE id = ANY($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  private async insert(entries: readonly Indexed[]): Promise<void> {
    const of = <T>(pick: (leaf: Leaf) => T): T[] => entries.map(({ leaf }) => pick(leaf));
    await this.database.query(
      `INSERT INTO entries (leaf_index, id, bytes, leaf_hash, occurred_at, recorded_at, recorded_by,
         actor_type, actor_id, action, target_type, target_id, outcome, organization_id, trace_id)
       SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bytea[], $4::bytea[], $5::timestamptz[], $6::timestamptz[],
         $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::uuid[],
         $15::text[])`,
      [
        entries.map(({ index }) => index),
        of((leaf) => leaf.id),
        entries.map(({ bytes }) => bytes),
        entries.map(({ bytes }) => leafHash(bytes)),
        of((leaf) => leaf.occurred_at),
        of((leaf) => leaf.recorded_at),
        of((leaf) => leaf.recorded_by),
        of((leaf) => leaf.actor.type),
        of((leaf) => leaf.actor.id),
        of((leaf) => leaf.action),
        of((leaf) => leaf.target.type),
        of((leaf) => leaf.target.id),
        of((leaf) => leaf.outcome),
        of((leaf) => leaf.organization_id),
        of((leaf) => leaf.trace_id),
      ],
    );
  }
}

function isRepeat(leaf: Leaf, before: Known): boolean {
  return (
    leaf.recorded_by === before.recorded_by &&
    leaf.action === before.action &&
    leaf.actor.id === before.actor_id &&
    leaf.target.id === before.target_id &&
    leaf.occurred_at === before.occurred_at.toISOString()
  );
}
