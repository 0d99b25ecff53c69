import { dashboard } from '../dashboard.ts';
import { graph, quantiles, rate } from '../panels.ts';

export const audit = dashboard(
  {
    name: 'audit',
    title: 'Audit',
    description: 'From the service that did something to the log that cannot be changed.',
  },
  {
    'The log': [
      graph(
        {
          title: 'Appended',
          description: 'Entries, by instance of Audit.',
          unit: 'ops',
          alert: 'GatehouseAuditStalled',
        },
        { '{{instance}}': rate('audit_entries_appended_total', 'instance') },
      ),
      graph(
        { title: 'Time to append', description: 'One commit, of many entries.', unit: 's' },
        quantiles('audit_append_duration_seconds', ''),
      ),
      graph(
        { title: 'Entries of one commit', description: 'On average.' },
        {
          entries:
            'sum(rate(audit_append_batch_size_sum[$__rate_interval])) / sum(rate(audit_append_batch_size_count[$__rate_interval]))',
        },
      ),
      graph(
        {
          title: 'Waiting in Audit',
          description: 'Entries, and how many may wait (AUDIT_MAX_WAITING).',
          alert: 'GatehouseAuditStalled',
        },
        {
          '{{instance}}': 'audit_sequencer_waiting_entries',
          most: 'max(audit_sequencer_waiting_max)',
        },
      ),
      graph(
        {
          title: 'Oldest that waits in Audit',
          description: 'Seconds since it came in.',
          unit: 's',
          alert: 'GatehouseAuditStalled',
        },
        { '{{instance}}': 'audit_sequencer_lag_seconds' },
      ),
      graph(
        {
          title: 'Failed commits and conflicts',
          description: 'Commits that are tried again; entries whose id was taken by another.',
          unit: 'ops',
          alert: 'GatehouseAuditStalled',
        },
        {
          failed: 'sum(rate(audit_append_failures_total[$__rate_interval]))',
          conflicts: 'sum(rate(audit_entry_conflicts_total[$__rate_interval]))',
        },
      ),
    ],
    'On the way to it': [
      graph(
        {
          title: 'Waiting in outboxes',
          description: 'Entries committed by a service and not yet at Audit.',
          alert: 'GatehouseAuditStalled',
        },
        { '{{job}}': 'max by (job) (event_bus_outbox_depth{channel="audit"})' },
      ),
      graph(
        {
          title: 'Oldest in an outbox',
          description: 'Above two minutes Audit is away or refuses.',
          unit: 's',
          alert: 'GatehouseAuditStalled',
        },
        { '{{job}}': 'max by (job) (event_bus_outbox_oldest_age_seconds{channel="audit"})' },
      ),
      graph(
        {
          title: 'Waiting in memory',
          description: "The gateway's own refusals: lost where it ends before Audit is back.",
        },
        { '{{job}} {{instance}}': 'audit_buffer_entries' },
      ),
      graph(
        {
          title: 'Lost',
          description: 'Dropped, refused or not written. Each is one too many.',
          unit: 'ops',
          alert: 'GatehouseAuditEntriesLost',
        },
        {
          '{{job}} dropped': rate('audit_buffer_overflow_total', 'job'),
          '{{job}} refused': rate('audit_entries_refused_total', 'job'),
          '{{job}} not written': rate('audit_record_failures_total', 'job'),
        },
      ),
    ],
  },
);
