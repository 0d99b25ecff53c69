import { createHmac } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { IdempotencyConflict, IdempotencyMismatch } from '@gatehouse/contracts-platform';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { isLockTimeout } from '../database/database-error.ts';
import { Sealer } from '../sealing/sealer.ts';
import type { Transaction } from '../transactions/transaction.ts';
import { TransactionHooks } from '../transactions/transaction-hooks.ts';
import { currentClaim, type IdempotencyClaim } from './idempotency-claim.ts';

const WAIT_MS = 2_000;
const KEPT_HOURS = 24;
/** After the work, before the change feed's last statement. */
const ORDER = 60;

interface StoredAnswer {
  request_hash: Buffer;
  answer: Buffer | null;
}

/**
 * Keeps idempotency keys in the transaction that does the request's work: key, effect and answer commit
 * together or not at all.
 */
@Injectable()
export class Idempotency {
  private readonly hashKey: Buffer;

  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    hooks: TransactionHooks,
  ) {
    // Keyed, because a request may hold a password that its plain hash would let one guess.
    this.hashKey = sealer.derive('idempotency request hash');
    hooks.wrap((tx, work) => this.around(tx, work));
  }

  /** Deletes what is older than 24 hours, in small lots. @returns how many */
  async deleteExpired(lot = 1_000): Promise<number> {
    const rows = await this.database.query(
      `DELETE FROM ${this.table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${this.table} WHERE expires_at <= clock_timestamp() LIMIT $1))
       RETURNING 1`,
      [lot],
    );
    return rows.length;
  }

  private async around<T>(tx: Transaction, work: () => Promise<T>): Promise<T> {
    const claim = currentClaim();
    // The request's first writing transaction takes the claim up; a repeated attempt takes it up again.
    if (claim?.state !== 'pending') return work();
    const hash = createHmac('sha256', this.hashKey).update(claim.request).digest();
    tx.afterRollback(() => {
      claim.state = 'pending';
    });
    if (!(await this.claim(claim, hash))) return this.replay<T>(claim, hash);
    claim.state = 'ran';
    const result = await work();
    tx.beforeCommit(() => this.keep(claim, result), ORDER);
    return result;
  }

  /** Whether the key is this request's now. Waits for another transaction that has claimed it. */
  private async claim(claim: IdempotencyClaim, hash: Buffer): Promise<boolean> {
    try {
      await this.database.query(`SET LOCAL lock_timeout = ${WAIT_MS}`);
      const claimed = await this.database.query(
        `INSERT INTO ${this.table} AS k (principal, route, key, request_hash, expires_at)
         VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(hours => ${KEPT_HOURS}))
         ON CONFLICT (principal, route, key) DO UPDATE
           SET request_hash = excluded.request_hash, answer = NULL, expires_at = excluded.expires_at
           WHERE k.expires_at <= clock_timestamp()
         RETURNING 1`,
        [claim.principal, claim.route, claim.key, hash],
      );
      await this.database.query('SET LOCAL lock_timeout TO DEFAULT');
      return claimed.length > 0;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      throw new IdempotencyConflict(
        'The first request with this Idempotency-Key is still running',
        {
          retryAfterSeconds: 1,
          cause: error,
        },
      );
    }
  }

  private async keep(claim: IdempotencyClaim, result: unknown): Promise<void> {
    const bytes = serialize(result);
    const answer = claim.secret ? this.sealer.seal(bytes, contextOf(claim)) : bytes;
    await this.database.query(
      `UPDATE ${this.table} SET answer = $4 WHERE principal = $1 AND route = $2 AND key = $3`,
      [claim.principal, claim.route, claim.key, answer],
    );
  }

  private async replay<T>(claim: IdempotencyClaim, hash: Buffer): Promise<T> {
    const [stored] = await this.database.query<StoredAnswer>(
      `SELECT request_hash, answer FROM ${this.table}
       WHERE principal = $1 AND route = $2 AND key = $3`,
      [claim.principal, claim.route, claim.key],
    );
    if (!stored?.answer) throw new IdempotencyConflict();
    if (!stored.request_hash.equals(hash)) {
      throw new IdempotencyMismatch('This Idempotency-Key came with another request before');
    }
    claim.state = 'replayed';
    const bytes = claim.secret ? this.sealer.open(stored.answer, contextOf(claim)) : stored.answer;
    return deserialize(bytes) as T;
  }

  private get table(): string {
    return `"${this.database.schema}".idempotency_keys`;
  }
}

function contextOf({ principal, route, key }: IdempotencyClaim): string {
  return JSON.stringify(['idempotency answer', principal, route, key]);
}
