import { RateLimited } from '@gatehouse/contracts-platform';
import { Database } from '@gatehouse/persistence';
import { Injectable } from '@nestjs/common';

/** Whose guesses are counted: a user's, or those at an address that nobody has. */
export type GuessSubject = `user:${string}` | `address:${string}`;
/** `known`: from a network the user has logged in from before. */
export type GuessClass = 'stranger' | 'known';

/** NIST SP 800-63B-4, 3.2.2: at most 100 failures in a row. The share of known networks cannot be used up by strangers. */
export const MAX_FAILURES: Record<GuessClass, number> = { stranger: 80, known: 20 };
const FREE = 5;
const MAX_DELAY_SECONDS = 900;
const EXHAUSTED_RETRY_SECONDS = 86_400;

/**
 * Slows down guessing at one account, whoever guesses and over however many addresses. A guess is counted before it is
 * tried, in one statement: a hundred guesses at once are a hundred guesses. After five failures in a row each next one
 * must wait, twice as long each time, up to 15 minutes. A success begins anew.
 *
 * Nobody can lock another one out: guesses from networks the owner has logged in from are counted apart.
 */
@Injectable()
export class GuessThrottle {
  constructor(private readonly database: Database) {}

  /** Takes the right to try one password. @throws RateLimited with `retryAfterSeconds` */
  async take(subject: GuessSubject, group: GuessClass): Promise<void> {
    const taken = await this.database.query(
      `INSERT INTO guesses AS g (subject, class, failures, next_at, updated_at)
       VALUES ($1, $2, 1, now(), now())
       ON CONFLICT (subject, class) DO UPDATE
         SET failures = g.failures + 1, updated_at = now(),
             next_at = now() + make_interval(secs =>
               CASE WHEN g.failures + 1 < $3 THEN 0 ELSE least($4, 2.0 ^ least(30, g.failures + 1 - $3)) END)
         WHERE g.next_at <= now() AND g.failures < $5
       RETURNING 1`,
      [subject, group, FREE, MAX_DELAY_SECONDS, MAX_FAILURES[group]],
    );
    if (taken.length === 0) throw await this.refusal(subject, group);
  }

  /** The password was right, or is a new one: in the transaction that makes it count. */
  async reset(subject: GuessSubject): Promise<void> {
    await this.database.query(`DELETE FROM guesses WHERE subject = $1`, [subject]);
  }

  /** Addresses that nobody has are made up by the thousand; what is known of users stays until a success. */
  async prune(): Promise<void> {
    await this.database.query(
      `DELETE FROM guesses WHERE subject LIKE 'address:%' AND updated_at < now() - interval '1 day'`,
    );
  }

  private async refusal(subject: GuessSubject, group: GuessClass): Promise<RateLimited> {
    const [row] = await this.database.query<{ failures: number; seconds: number }>(
      `SELECT failures, extract(epoch FROM next_at - now())::float8 AS seconds
       FROM guesses WHERE subject = $1 AND class = $2`,
      [subject, group],
    );
    const exhausted = row !== undefined && row.failures >= MAX_FAILURES[group];
    return new RateLimited('Too many wrong passwords for this account.', {
      retryAfterSeconds: exhausted
        ? EXHAUSTED_RETRY_SECONDS
        : Math.max(1, Math.ceil(row?.seconds ?? 1)),
    });
  }
}
