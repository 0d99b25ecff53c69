import { randomBytes } from 'node:crypto';

import { Checkup, type Finding } from '@gatehouse/kernel';
import { Database, Sealer } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

const KEY_BYTES = 32;

/**
 * A key for each person the log says something about, sealed at rest. A key that was destroyed is never made again:
 * what the log said of the person, and will say, cannot be read.
 */
@Injectable()
export class SubjectKeys {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    checkup: Checkup,
  ) {
    checkup.add('subject keys', () => this.look());
  }

  /** The keys of these subjects, made where there was none; without those that were destroyed. */
  async obtain(subjectIds: readonly string[]): Promise<Map<string, Buffer>> {
    const wanted = [...new Set(subjectIds)].sort();
    if (wanted.length === 0) return new Map();
    const known = await this.read(wanted);
    const missing = wanted.filter((id) => !known.has(id));
    if (missing.length === 0) return this.open(known);
    const sealed = missing.map((id) => this.sealer.seal(randomBytes(KEY_BYTES), contextOf(id)));
    await this.database.query(
      `INSERT INTO subject_keys (subject_id, sealed_key, created_at)
       SELECT id, key, now() FROM unnest($1::uuid[], $2::bytea[]) AS k (id, key) ON CONFLICT DO NOTHING`,
      [missing, sealed],
    );
    // Read again: another instance may have been first.
    return this.open(await this.read(wanted));
  }

  /** The keys of these subjects that exist. */
  async find(subjectIds: readonly string[]): Promise<Map<string, Buffer>> {
    const wanted = [...new Set(subjectIds)];
    return wanted.length === 0 ? new Map() : this.open(await this.read(wanted));
  }

  /** Whether the key of sealing is the one of these data: the first and the last subject's keys open, or do not. */
  private async look(): Promise<Finding[]> {
    const rows = await this.database.query<{ subject_id: string; sealed_key: Buffer }>(
      `(SELECT subject_id, sealed_key FROM subject_keys WHERE sealed_key IS NOT NULL ORDER BY subject_id LIMIT 1)
       UNION (SELECT subject_id, sealed_key FROM subject_keys WHERE sealed_key IS NOT NULL ORDER BY subject_id DESC LIMIT 1)`,
    );
    try {
      this.open(new Map(rows.map((row) => [row.subject_id, row.sealed_key])));
    } catch {
      return [
        {
          state: 'problem',
          what: 'the keys of subjects cannot be opened by the DATA_ENCRYPTION_KEY of Audit',
          mend: 'give Audit the data-encryption-key that belongs to this database, from the backup of its credentials (docs/backup.md)',
        },
      ];
    }
    const what =
      rows.length === 0 ? 'there are no keys of subjects yet' : 'the keys of subjects open';
    return [{ state: 'ok', what }];
  }

  private async read(ids: readonly string[]): Promise<Map<string, Buffer | null>> {
    const rows = await this.database.query<{ subject_id: string; sealed_key: Buffer | null }>(
      `SELECT subject_id, sealed_key FROM subject_keys WHERE subject_id = ANY($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map((row) => [row.subject_id, row.sealed_key]));
  }

  private open(sealed: ReadonlyMap<string, Buffer | null>): Map<string, Buffer> {
    const keys = new Map<string, Buffer>();
    for (const [id, key] of sealed) if (key) keys.set(id, this.sealer.open(key, contextOf(id)));
    return keys;
  }
}

const contextOf = (subjectId: string): string => `audit.subject-key:${subjectId}`;
