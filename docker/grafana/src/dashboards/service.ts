import { dashboard } from '../dashboard.ts';
import { graph, quantile, quantiles, rate, stat } from '../panels.ts';

const OF = 'job="$service"';

export const service = dashboard(
  {
    name: 'service',
    title: 'Service',
    description: 'Any service, chosen above: what it answers, whom it asks, what it has left.',
    service: 'one',
  },
  {
    'Right now': [
      stat(
        { title: 'Instances', description: 'That answer.', alert: 'GatehouseServiceDown' },
        `sum(up{${OF}})`,
      ),
      stat(
        {
          title: 'Up since',
          description: 'Start of its youngest instance.',
          unit: 'dateTimeFromNow',
        },
        `max(process_start_time_seconds{${OF}}) * 1000`,
      ),
      stat(
        {
          title: 'Requests',
          description: 'Over HTTP, by the gateway or another service.',
          unit: 'reqps',
        },
        `sum(rate(http_server_request_duration_seconds_count{${OF}}[$__rate_interval]))`,
      ),
      stat(
        { title: 'In hand', description: 'HTTP requests that are being answered.' },
        `sum(http_server_active_requests{${OF}})`,
      ),
    ],
    'What it answers': [
      graph(
        {
          title: 'Requests by status',
          description: 'HTTP.',
          unit: 'reqps',
          alert: 'GatehouseServiceAvailability',
        },
        {
          '{{status_class}}': rate(
            'http_server_request_duration_seconds_count',
            'status_class',
            OF,
          ),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Latency',
          description: 'HTTP, all routes.',
          unit: 's',
          alert: 'GatehouseServiceLatency',
        },
        quantiles('http_server_request_duration_seconds', OF),
        { exemplars: true },
      ),
      graph(
        {
          title: 'Latency by route',
          description: '95th percentile, the ten slowest.',
          unit: 's',
          alert: 'GatehouseServiceLatency',
        },
        {
          '{{http_request_method}} {{http_route}}': `topk(10, ${quantile(0.95, 'http_server_request_duration_seconds', OF, 'http_request_method, http_route')})`,
        },
      ),
      graph(
        {
          title: 'Calls by result',
          description:
            'gRPC; subscriptions are counted when they end. Not of the gateway, which answers none.',
          unit: 'reqps',
          alert: 'GatehouseServiceAvailability',
        },
        {
          '{{rpc_response_status_code}}': rate(
            'rpc_server_call_duration_seconds_count',
            'rpc_response_status_code',
            OF,
          ),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Latency of calls',
          description: '95th percentile by method, without subscriptions.',
          unit: 's',
          alert: 'GatehouseServiceLatency',
        },
        {
          '{{rpc_method}}': quantile(
            0.95,
            'rpc_server_call_duration_seconds',
            `${OF}, rpc_method!~".*/Watch.*"`,
            'rpc_method',
          ),
        },
      ),
      graph(
        {
          title: 'Calls to others',
          description: '95th percentile as this service sees it, retries included.',
          unit: 's',
        },
        {
          '{{upstream}} {{rpc_method}}': quantile(
            0.95,
            'rpc_client_call_duration_seconds',
            `${OF}, rpc_method!~".*/Watch.*"`,
            'upstream, rpc_method',
          ),
        },
      ),
    ],
    'What it has left': [
      graph(
        { title: 'CPU', description: 'Cores in use, by instance.' },
        { '{{instance}}': rate('process_cpu_seconds_total', 'instance', OF) },
      ),
      graph(
        { title: 'Memory', description: 'Resident, by instance.', unit: 'bytes' },
        { '{{instance}}': `process_resident_memory_bytes{${OF}}` },
      ),
      graph(
        {
          title: 'Event loop',
          description: 'How late one turn in a hundred begins. Some 10 ms are the measure itself.',
          unit: 's',
          alert: 'GatehouseEventLoopDelayed',
        },
        { '{{instance}}': `nodejs_eventloop_lag_p99_seconds{${OF}}` },
      ),
      graph(
        {
          title: 'Database connections',
          description: 'In use, and transactions that wait for one. Not of the gateway.',
          alert: 'GatehouseDatabasePoolExhausted',
        },
        {
          used: `sum(db_client_connection_count{${OF}, state="used"})`,
          waiting: `sum(db_client_connection_pending_requests{${OF}})`,
          most: `sum(db_client_connection_max{${OF}})`,
        },
      ),
      graph(
        {
          title: 'Instances it sees',
          description: 'Of each service, verified, as the registry lists them.',
          alert: 'GatehouseRegistryUnreadable',
        },
        { '{{upstream}}': `max by (upstream) (discovery_instances{${OF}})` },
      ),
      graph(
        {
          title: 'Telemetry dropped',
          description: 'Log lines and spans that were given up so as not to hold up a request.',
          unit: 'ops',
          alert: 'GatehouseTelemetryDropped',
        },
        {
          'lines, {{sink}}': rate('log_lines_dropped_total', 'sink', OF),
          'spans, {{reason}}': rate('otel_spans_dropped_total', 'reason', OF),
        },
      ),
    ],
  },
);
