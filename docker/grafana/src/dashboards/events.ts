import { dashboard } from '../dashboard.ts';
import { graph, quantile, rate } from '../panels.ts';

const OF = 'job=~"$service"';

export const events = dashboard(
  {
    name: 'events',
    title: 'Events',
    description: 'From the outbox through the broker to the handlers, and what did not arrive.',
    service: 'all',
  },
  {
    'Out: from the outbox to the broker': [
      graph(
        {
          title: 'Published',
          description: 'Events committed with their transaction, by type.',
          unit: 'ops',
        },
        { '{{type}}': rate('event_bus_published_total', 'type', OF) },
        { stacked: true },
      ),
      graph(
        {
          title: 'Outbox',
          description: 'Rows that wait to be sent, by service and channel.',
          alert: 'GatehouseOutboxGrowing',
        },
        { '{{job}} {{channel}}': `max by (job, channel) (event_bus_outbox_depth{${OF}})` },
      ),
      graph(
        {
          title: 'Oldest in the outbox',
          description: 'How long it has waited. Above a minute the broker is away or refuses.',
          unit: 's',
          alert: 'GatehouseOutboxGrowing',
        },
        {
          '{{job}} {{channel}}': `max by (job, channel) (event_bus_outbox_oldest_age_seconds{${OF}})`,
        },
      ),
      graph(
        { title: 'From commit to broker', description: '95th percentile.', unit: 's' },
        {
          '{{job}} {{channel}}': quantile(
            0.95,
            'event_bus_outbox_send_lag_seconds',
            OF,
            'job, channel',
          ),
        },
      ),
      graph(
        {
          title: 'Relayed',
          description: 'Rows that their channel took, and batches that it did not.',
          unit: 'ops',
        },
        {
          '{{channel}}': rate('event_bus_outbox_relayed_total', 'channel', OF),
          '{{channel}} failed': rate('event_bus_outbox_relay_failures_total', 'channel', OF),
        },
      ),
      graph(
        {
          title: 'Refused for good',
          description: 'Rows that a channel will never take: dead letters of outbox:<channel>.',
          unit: 'ops',
          alert: 'GatehouseDeadLetters',
        },
        { '{{job}} {{channel}}': rate('event_bus_outbox_refused_total', 'job, channel', OF) },
      ),
    ],
    'In: from the broker to the handlers': [
      graph(
        {
          title: 'Consumer lag',
          description: 'Events appended and not settled, by consumer.',
          alert: 'GatehouseConsumerLag',
        },
        {
          '{{job}} {{consumer}} {{topic}}': `sum by (job, consumer, topic) (event_bus_consumer_lag{${OF}})`,
        },
      ),
      graph(
        {
          title: 'Settled',
          description: 'By outcome; a duplicate was in effect already.',
          unit: 'ops',
        },
        { '{{outcome}}': rate('event_bus_consumed_total', 'outcome', OF) },
        { stacked: true },
      ),
      graph(
        {
          title: 'Handler duration',
          description: '95th percentile of one try.',
          unit: 's',
          alert: 'GatehouseConsumerLag',
        },
        {
          '{{job}} {{consumer}}': quantile(
            0.95,
            'event_bus_handler_duration_seconds',
            OF,
            'job, consumer',
          ),
        },
      ),
      graph(
        { title: 'Failed and tried again', description: 'Tries of handlers.', unit: 'ops' },
        {
          '{{job}} {{consumer}} failed': rate(
            'event_bus_handler_failures_total',
            'job, consumer',
            OF,
          ),
          '{{job}} {{consumer}} again': rate('event_bus_retries_total', 'job, consumer', OF),
        },
      ),
      graph(
        {
          title: 'Dead letters',
          description: 'Events that wait for a replay or a discard.',
          alert: 'GatehouseDeadLetters',
        },
        { '{{job}} {{consumer}}': `max by (job, consumer) (event_bus_dead_letters{${OF}})` },
      ),
      graph(
        {
          title: 'Parked keys',
          description: 'Keys whose events wait in order, for a next try or an operator.',
          alert: 'GatehouseParkedKeys',
        },
        { '{{job}} {{consumer}}': `max by (job, consumer) (event_bus_parked_keys{${OF}})` },
      ),
    ],
  },
);
