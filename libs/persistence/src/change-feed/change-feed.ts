import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import { openTransaction } from '../transactions/transaction.ts';

/** The state of one item after its latest change. */
export interface Change<S = Record<string, unknown>> {
  kind: string;
  id: string;
  /** Rises with each change of the service, in the order of commits. */
  number: number;
  state: S;
}

export interface Changes {
  changes: Change[];
  /** Everything up to this number has been given. */
  head: number;
}

export interface TailOptions {
  /** Default 200. */
  intervalMs?: number;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** Changes an item holds at most; default 500. */
  limit?: number;
}

interface Pending {
  kind: string;
  id: string;
  state: object;
  expiresAt: Date | null;
}

const PENDING = Symbol('pending changes');
/** See `Transaction.beforeCommit`. */
const LAST = 100;

/**
 * What followers of this service must know of at once: the latest full state of each item, and a number that
 * says how new it is.
 *
 * Guarantees: numbers become visible in their order, none is seen before a lower one of another transaction
 * (the counter's row lock is taken by the transaction's last statement and goes with its COMMIT); an item is
 * kept once, with its latest state. A follower that holds everything up to `n` is current after `since(n)`.
 */
@Injectable()
export class ChangeFeed {
  private readonly wake = new EventEmitter().setMaxListeners(0);
  private asked: Promise<number> | undefined;

  constructor(private readonly database: Database) {}

  /**
   * Says that an item is now in this state; of several in one transaction the last counts. The caller holds
   * the item's row lock, so that states of one item are numbered in the order in which they came about.
   * @param expiresAt from when on nobody needs to know, for `prune`
   * @throws outside a transaction
   */
  append(kind: string, id: string, state: object, expiresAt?: Date): Promise<void> {
    const transaction = openTransaction();
    if (!transaction) return Promise.reject(new Error('ChangeFeed.append needs a transaction'));
    let pending = transaction.locals.get(PENDING) as Map<string, Pending> | undefined;
    if (!pending) {
      const mine = (pending = new Map<string, Pending>());
      transaction.locals.set(PENDING, mine);
      transaction.beforeCommit(() => this.write([...mine.values()]), LAST);
      transaction.afterCommit(() => {
        this.asked = undefined; // asked before this COMMIT, it may not know of it
        this.wake.emit('change');
      });
    }
    pending.set(JSON.stringify([kind, id]), { kind, id, state, expiresAt: expiresAt ?? null });
    return Promise.resolve();
  }

  /** The number of the latest committed change; 0 before the first. */
  async head(): Promise<number> {
    const [row] = await this.database.query<{ number: number }>(
      `SELECT number FROM ${this.table('change_counter')}`,
    );
    return row?.number ?? 0;
  }

  /** Items changed after `after`, in the order of their numbers. */
  async since(after: number, limit = 500): Promise<Change[]> {
    return (await this.read(after, limit)).changes;
  }

  /**
   * Changes as they come, from `after` on: an item every `intervalMs` even if nothing changed, so that a
   * follower knows how current it is, and at once when this process commits a change.
   * A pending `next()` ends by the signal; `return()` would wait for it.
   * @throws when the table cannot be read; the follower must then not believe itself current
   */
  async *tail(after: number, options: TailOptions = {}): AsyncGenerator<Changes, void, undefined> {
    const { intervalMs = 200, limit = 500, signal } = options;
    while (!signal?.aborted) {
      // Listening begins before reading: what commits in between is not slept over.
      const pause = this.pause(intervalMs, signal);
      try {
        // Most of the time there is nothing new: that is found out once for all followers.
        const head = await this.sharedHead();
        const found = head === after ? { changes: [], head } : await this.read(after, limit);
        yield found;
        after = found.head;
        if (found.changes.length < limit) await pause.over;
      } finally {
        pause.end();
      }
    }
  }

  /** Deletes items of the kind that expired before the instant. @returns how many */
  async prune(kind: string, before: Date): Promise<number> {
    const rows = await this.database.query(
      `DELETE FROM ${this.table('change_feed')} WHERE kind = $1 AND expires_at < $2 RETURNING 1`,
      [kind, before],
    );
    return rows.length;
  }

  /** Followers that ask at the same time get one answer. */
  private sharedHead(): Promise<number> {
    const asked = (this.asked ??= this.head().finally(() => {
      if (this.asked === asked) this.asked = undefined;
    }));
    return asked;
  }

  /** One statement, hence one snapshot: head and changes belong together. */
  private async read(after: number, limit: number): Promise<Changes> {
    const rows = await this.database.query<{ head: number } & (Change | { kind: null })>(
      `SELECT c.number AS head, f.* FROM ${this.table('change_counter')} c
       LEFT JOIN LATERAL (
         SELECT kind, id, number, state FROM ${this.table('change_feed')}
         WHERE number > $1 ORDER BY number LIMIT $2
       ) f ON true ORDER BY f.number`,
      [after, limit],
    );
    const changes: Change[] = [];
    for (const { head: _head, ...row } of rows) if (row.kind !== null) changes.push(row);
    const last = changes.at(-1)?.number;
    const head = last !== undefined && changes.length === limit ? last : (rows[0]?.head ?? after);
    return { changes, head };
  }

  /** Drawing numbers and storing states is one statement, so that nothing is left to do under the lock. */
  private async write(pending: Pending[]): Promise<void> {
    await this.database.query(
      `WITH drawn AS (
         UPDATE ${this.table('change_counter')} SET number = number + $1 RETURNING number - $1 AS base
       )
       INSERT INTO ${this.table('change_feed')} AS f (kind, id, number, state, expires_at)
       SELECT i.kind, i.id, drawn.base + i.ordinal, i.state, i.expires_at
       FROM drawn, unnest($2::text[], $3::text[], $4::jsonb[], $5::timestamptz[])
         WITH ORDINALITY AS i (kind, id, state, expires_at, ordinal)
       ON CONFLICT (kind, id) DO UPDATE
         SET number = excluded.number, state = excluded.state, expires_at = excluded.expires_at`,
      [
        pending.length,
        pending.map(({ kind }) => kind),
        pending.map(({ id }) => id),
        pending.map(({ state }) => JSON.stringify(state)),
        pending.map(({ expiresAt }) => expiresAt),
      ],
    );
  }

  private pause(intervalMs: number, signal?: AbortSignal): { over: Promise<void>; end(): void } {
    let finish!: () => void;
    const over = new Promise<void>((resolve) => (finish = resolve));
    // On the beat of the clock, so that followers ask together. A timer that fired a moment early is not to fire twice.
    const left = intervalMs - (performance.now() % intervalMs);
    const timer = setTimeout(finish, left < intervalMs / 10 ? left + intervalMs : left);
    this.wake.once('change', finish);
    signal?.addEventListener('abort', finish);
    const end = () => {
      clearTimeout(timer);
      this.wake.off('change', finish);
      signal?.removeEventListener('abort', finish);
      finish();
    };
    return { over, end };
  }

  private table(name: string): string {
    return `"${this.database.schema}".${name}`;
  }
}
