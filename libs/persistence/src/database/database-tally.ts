import { DURATION_BUCKETS, SeriesHistogram } from '@gatehouse/kernel';
import { DatabaseUnavailable, isOrderConflict } from './database-error.ts';

const OPERATIONS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'START', 'COMMIT', 'ROLLBACK'];

/** What a schema's statements and transactions came to, counted in place. */
export class DatabaseTally {
  readonly durations = new SeriesHistogram(
    'db_client_operation_duration_seconds',
    'Time of one statement, by its first word; OTHER for those that are seldom',
    ['db_operation_name'],
    DURATION_BUCKETS,
  );
  /** Statements that failed. */
  readonly errors = { unavailable: 0, conflict: 0, other: 0 };
  readonly transactions = { committed: 0, rolled_back: 0, repeated: 0 };
  private readonly series = new Map(
    [...OPERATIONS, 'OTHER'].map((name) => [name, this.durations.series(name)]),
  );

  async timed<T>(sql: string, run: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await run();
    } catch (error) {
      this.errors[kindOf(error)] += 1;
      throw error;
    } finally {
      const word = /^\s*([A-Za-z]+)/.exec(sql)?.[1]?.toUpperCase() ?? 'OTHER';
      const series = this.series.get(word) ?? this.series.get('OTHER');
      series?.observe((performance.now() - began) / 1000);
    }
  }
}

function kindOf(error: unknown): 'unavailable' | 'conflict' | 'other' {
  if (error instanceof DatabaseUnavailable) return 'unavailable';
  return isOrderConflict(error) ? 'conflict' : 'other';
}
