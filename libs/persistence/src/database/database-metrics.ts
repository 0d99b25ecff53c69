import type { Metrics } from '@gatehouse/kernel';
import type { Database } from './database.ts';

/** The pool and the work of a schema, read when they are scraped: nothing of it asks the database. */
export function publishDatabase(metrics: Metrics, database: Database): void {
  const { tally } = database;
  metrics.show(tally.durations);
  metrics.readGauge(
    'db_client_connection_count',
    'Open connections of the pool',
    ['state'],
    (show) => {
      const { total, idle } = database.connections;
      show(total - idle, { state: 'used' });
      show(idle, { state: 'idle' });
    },
  );
  metrics.readGauge('db_client_connection_max', 'Connections of the pool at most', [], (show) =>
    show(database.connections.max),
  );
  metrics.readGauge(
    'db_client_connection_pending_requests',
    'Pieces of work that wait for a connection',
    [],
    (show) => show(database.connections.waiting),
  );
  metrics.readCounter(
    'db_client_operation_errors_total',
    'Statements that failed: unavailable (no connection), conflict (of transactions, repeated), other',
    ['kind'],
    (show) => {
      for (const [kind, count] of Object.entries(tally.errors)) show(count, { kind });
    },
  );
  metrics.readCounter(
    'db_transactions_total',
    'Transactions by outcome; repeated: rolled back and tried again',
    ['outcome'],
    (show) => {
      for (const [outcome, count] of Object.entries(tally.transactions)) show(count, { outcome });
    },
  );
}
