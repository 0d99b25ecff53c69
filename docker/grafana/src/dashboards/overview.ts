import { dashboard } from '../dashboard.ts';
import { graph, quantiles, rate, stat, table } from '../panels.ts';

const UP = 'up{platform="gatehouse"}';
const FIRING = 'ALERTS{alertstate="firing", alertname=~"Gatehouse.*"}';

export const overview = dashboard(
  {
    name: 'overview',
    title: 'Overview',
    description: 'Whether the platform keeps what it promises, and what it consists of just now.',
  },
  {
    'Right now': [
      stat(
        { title: 'Services', description: 'Services with at least one instance that answers.' },
        `count(count by (job) (${UP} == 1))`,
      ),
      stat({ title: 'Instances', description: 'Processes that answer.' }, `sum(${UP})`),
      stat(
        {
          title: 'Instances that do not answer',
          description: 'Known, and silent.',
          alert: 'GatehouseInstanceDown',
        },
        `sum(1 - ${UP})`,
      ),
      stat(
        { title: 'Alerts', description: 'Alerts of the platform that fire.' },
        `count(${FIRING}) or 0 * count(${UP})`,
      ),
    ],
    'What clients see': [
      graph(
        {
          title: 'Requests',
          description: 'At the gateway, by the service that answers them.',
          unit: 'reqps',
        },
        { '{{upstream}}': rate('gateway_request_duration_seconds_count', 'upstream') },
        { stacked: true },
      ),
      graph(
        {
          title: 'Share that fails',
          description: 'Answered 5xx. The objective allows 0.1 %.',
          unit: 'percentunit',
          alert: 'GatehouseGatewayAvailability',
        },
        {
          failed:
            'objective:failures:rate5m{objective="gateway-availability"} / objective:requests:rate5m',
        },
      ),
      graph(
        {
          title: 'Latency',
          description: 'To the end of the answer. The objective: 99 % within 250 ms.',
          unit: 's',
          alert: 'GatehouseGatewayLatency',
        },
        quantiles('gateway_request_duration_seconds', 'status_class!="1xx"'),
        { exemplars: true },
      ),
    ],
    'Objectives, over 30 days': [
      graph(
        {
          title: 'Burn rate, last hour',
          description:
            'How many times faster than allowed the error budget is used up. Above 14.4 somebody is called.',
        },
        { '{{objective}} {{job}}': 'objective:burn_rate:avg1h' },
      ),
      graph(
        {
          title: 'Burn rate, last day',
          description: 'Above 3 it is a ticket; at 1 nothing is left after 30 days.',
        },
        { '{{objective}} {{job}}': 'objective:burn_rate:avg1d' },
      ),
    ],
    'What runs': [
      table(
        { title: 'Versions', description: 'Of each instance that answers.' },
        'gatehouse_build_info',
        ['Value', '__name__', 'platform', 'service'],
      ).span(8),
      graph(
        { title: 'CPU', description: 'Cores in use, by service.', unit: 'short' },
        { '{{job}}': rate('process_cpu_seconds_total', 'job', 'platform="gatehouse"') },
        { stacked: true },
      ),
      graph(
        { title: 'Memory', description: 'Resident, by service.', unit: 'bytes' },
        { '{{job}}': 'sum by (job) (process_resident_memory_bytes{platform="gatehouse"})' },
        { stacked: true },
      ),
    ],
  },
);
