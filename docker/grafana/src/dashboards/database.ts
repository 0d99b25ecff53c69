import { dashboard } from '../dashboard.ts';
import { graph, quantile, rate } from '../panels.ts';

const OF = 'job=~"$service"';

export const database = dashboard(
  {
    name: 'database',
    title: 'Database',
    description:
      'Connections, statements and transactions of each service, and its cache before them.',
    service: 'all',
  },
  {
    Connections: [
      graph(
        { title: 'In use', description: 'By service, of all its instances.' },
        { '{{job}}': `sum by (job) (db_client_connection_count{${OF}, state="used"})` },
      ),
      graph(
        {
          title: 'Share in use',
          description: 'Of the instance that uses most. At 100 % transactions wait.',
          unit: 'percentunit',
          alert: 'GatehouseDatabasePoolExhausted',
        },
        {
          '{{job}}': `max by (job) (sum by (job, instance) (db_client_connection_count{${OF}, state="used"}) / sum by (job, instance) (db_client_connection_max{${OF}}))`,
        },
      ),
      graph(
        {
          title: 'Waiting for a connection',
          description: 'Transactions; after DATABASE_POOL_TIMEOUT_MS they are answered 503.',
          alert: 'GatehouseDatabasePoolExhausted',
        },
        { '{{job}}': `sum by (job) (db_client_connection_pending_requests{${OF}})` },
      ),
    ],
    'Statements and transactions': [
      graph(
        { title: 'Statements', description: 'By kind.', unit: 'ops' },
        {
          '{{db_operation_name}}': rate(
            'db_client_operation_duration_seconds_count',
            'db_operation_name',
            OF,
          ),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Time of a statement',
          description: '99th percentile by kind; COMMIT is the disk.',
          unit: 's',
        },
        {
          '{{db_operation_name}}': quantile(
            0.99,
            'db_client_operation_duration_seconds',
            OF,
            'db_operation_name',
          ),
        },
      ),
      graph(
        { title: 'Time of a statement, by service', description: '99th percentile.', unit: 's' },
        { '{{job}}': quantile(0.99, 'db_client_operation_duration_seconds', OF, 'job') },
      ),
      graph(
        {
          title: 'Transactions',
          description: 'By how they ended; repeated: after a conflict with another.',
          unit: 'ops',
        },
        { '{{outcome}}': rate('db_transactions_total', 'outcome', OF) },
        { stacked: true },
      ),
      graph(
        {
          title: 'Errors',
          description:
            'Statements that failed: unavailable is the server, conflict another transaction.',
          unit: 'ops',
        },
        { '{{job}} {{kind}}': rate('db_client_operation_errors_total', 'job, kind', OF) },
      ),
    ],
    'The cache before it': [
      graph(
        {
          title: 'Reads',
          description: 'By result; joined waited for the load of another.',
          unit: 'ops',
        },
        { '{{result}}': rate('cache_requests_total', 'result', OF) },
        { stacked: true },
      ),
      graph(
        {
          title: 'Store errors',
          description:
            'Operations that the store failed or did not answer in time; reads go around it.',
          unit: 'ops',
        },
        { '{{job}} {{operation}}': rate('cache_store_errors_total', 'job, operation', OF) },
      ),
      graph(
        { title: 'Evictions that wait', description: 'Keys that the store has not taken yet.' },
        { '{{job}}': `max by (job) (cache_pending_evictions{${OF}})` },
      ),
    ],
  },
);
