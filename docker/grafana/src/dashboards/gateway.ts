import { dashboard } from '../dashboard.ts';
import { graph, quantile, quantiles, rate, table } from '../panels.ts';

export const gateway = dashboard(
  {
    name: 'gateway',
    title: 'Gateway',
    description: 'Every request from outside: how many, how fast, refused why, forwarded where.',
  },
  {
    Requests: [
      graph(
        {
          title: 'Requests by status',
          description: 'A client that went away is a 4xx.',
          unit: 'reqps',
          alert: 'GatehouseGatewayAvailability',
        },
        { '{{status_class}}': rate('gateway_request_duration_seconds_count', 'status_class') },
        { stacked: true },
      ),
      graph(
        {
          title: 'Latency',
          description: 'From the head of the request to the end of the answer.',
          unit: 's',
          alert: 'GatehouseGatewayLatency',
        },
        quantiles('gateway_request_duration_seconds', 'status_class!="1xx"'),
        { exemplars: true },
      ),
      graph(
        {
          title: 'Refusals by code',
          description: 'Answers that the gateway gave itself, without asking a service.',
          unit: 'reqps',
        },
        {
          '{{code}}': rate('gateway_refusals_total', 'code'),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'In hand',
          description:
            'Requests between their first and last byte, and how many there may be; more are answered 503.',
          alert: 'GatehouseRequestsShed',
        },
        {
          '{{instance}}': 'gateway_requests_in_flight',
          most: 'max(gateway_requests_in_flight_max)',
        },
      ),
      graph(
        {
          title: 'Shed',
          description: 'Answered 503 at once because too many were in hand.',
          unit: 'reqps',
          alert: 'GatehouseRequestsShed',
        },
        { '{{instance}}': rate('gateway_requests_shed_total', 'instance') },
      ),
      graph(
        { title: 'Upgraded connections', description: 'WebSockets that are open.' },
        { '{{instance}}': 'gateway_upgraded_connections' },
      ),
      table(
        {
          title: 'Slowest routes',
          description: '99th percentile, the ten slowest.',
          unit: 's',
        },
        `topk(10, ${quantile(0.99, 'gateway_request_duration_seconds', 'status_class!="1xx"', 'http_request_method, http_route, upstream')})`,
      ),
      table(
        {
          title: 'Busiest routes',
          description: 'Requests a second, the ten with most.',
          unit: 'reqps',
        },
        `topk(10, ${rate('gateway_request_duration_seconds_count', 'http_request_method, http_route, upstream')})`,
      ),
    ],
    'Instances behind it': [
      graph(
        {
          title: 'Instances by state',
          description: 'Open: left out, because connections or answers failed.',
          alert: 'GatehouseBreakerOpen',
        },
        { '{{upstream}} {{state}}': 'max by (upstream, state) (gateway_upstream_instances)' },
      ),
      graph(
        {
          title: 'Ejections and retries',
          description: 'Instances left out, and requests sent a second time.',
          unit: 'ops',
          alert: 'GatehouseBreakerOpen',
        },
        {
          '{{upstream}} ejected': rate('gateway_upstream_ejections_total', 'upstream'),
          '{{upstream}} retried': rate('gateway_upstream_retries_total', 'upstream'),
        },
      ),
      graph(
        {
          title: 'In hand, by upstream',
          description: 'Requests that wait for an answer of a service. The slow one stands out.',
        },
        { '{{upstream}}': 'sum by (upstream) (gateway_upstream_requests_in_flight)' },
        { stacked: true },
      ),
      graph(
        {
          title: 'Connections',
          description: 'To instances, in use, and requests that wait for one.',
        },
        {
          '{{upstream}}': 'sum by (upstream) (gateway_upstream_connections{state="used"})',
          '{{upstream}} waiting': 'sum by (upstream) (gateway_upstream_pending_requests)',
        },
      ),
      graph(
        {
          title: 'Latency by upstream',
          description: '99th percentile.',
          unit: 's',
        },
        {
          '{{upstream}}': quantile(
            0.99,
            'gateway_request_duration_seconds',
            'status_class!="1xx"',
            'upstream',
          ),
        },
      ),
      graph(
        {
          title: 'Routes and manifests',
          description:
            'Routes that are served, and manifests that could not be read: theirs are not.',
          alert: 'GatehouseManifestUnread',
        },
        {
          '{{upstream}}': 'max by (upstream) (gateway_routes)',
          'manifests unread': 'max(gateway_manifests_unread)',
        },
      ),
    ],
  },
);
