import { dashboard } from '../dashboard.ts';
import { graph, quantile, rate, stat } from '../panels.ts';

export const access = dashboard(
  {
    name: 'access',
    title: 'Access decisions',
    description:
      'Who was let in and who was not: limits, tokens, permissions, and what they rest on.',
  },
  {
    Decisions: [
      graph(
        {
          title: 'Tokens',
          description:
            'By result. cached and verified are good; unavailable: there was no key set to judge by.',
          unit: 'ops',
        },
        { '{{result}}': rate('guards_token_verifications_total', 'result') },
        { stacked: true },
      ),
      graph(
        {
          title: 'Permissions',
          description:
            'By outcome and where the answer came from. error: nobody could say, answered 503.',
          unit: 'ops',
        },
        { '{{outcome}}, {{source}}': rate('guards_permission_decisions_total', 'outcome, source') },
        { stacked: true },
      ),
      graph(
        {
          title: 'Rate limits',
          description: 'Limits asked, by what they said. fallback: counted without Redis.',
          unit: 'ops',
          alert: 'GatehouseRateLimitFallback',
        },
        {
          '{{result}} {{store}} fallback={{fallback}}': rate(
            'rate_limit_decisions_total',
            'result, store, fallback',
          ),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Refused at the gateway',
          description: '401, 403 and 429 by their code.',
          unit: 'reqps',
        },
        {
          '{{code}}': rate(
            'gateway_refusals_total',
            'code',
            'code=~"NOT_AUTHENTICATED|TOKEN_.*|PERMISSION_DENIED|RATE_LIMITED"',
          ),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Logins',
          description: 'By result. Many failures at once: somebody tries passwords.',
          unit: 'ops',
        },
        { '{{result}}': rate('auth_logins_total', 'result') },
        { stacked: true },
      ),
      graph(
        {
          title: 'Tokens issued, sessions ended',
          description: 'By grant and by reason.',
          unit: 'ops',
        },
        {
          'issued: {{grant}}': rate('auth_tokens_issued_total', 'grant'),
          'ended: {{reason}}': rate('auth_sessions_revoked_total', 'reason'),
        },
      ),
    ],
    'What decisions rest on': [
      graph(
        {
          title: 'Age of what is known',
          description:
            'Since the last word of Auth (revocations) and Authz (grants). Normal: 200 ms.',
          unit: 's',
          alert: 'GatehouseAccessViewStale',
        },
        { '{{job}} {{view}}': 'max by (job, view) (guards_view_staleness_seconds)' },
      ),
      graph(
        {
          title: 'Held in memory',
          description: 'Items of a view, and keys whose rate limits are counted here.',
        },
        {
          '{{job}} {{view}}': 'max by (job, view) (guards_view_items)',
          '{{job}} limits': 'max by (job) (rate_limit_counters)',
        },
      ),
      graph(
        {
          title: 'Password hashes',
          description:
            '95th percentile of the time that one takes, its wait included, and how many wait.',
          unit: 's',
        },
        { p95: quantile(0.95, 'auth_password_hash_duration_seconds', '') },
      ),
      stat(
        {
          title: 'Hashes that wait',
          description: 'More than PASSWORD_HASH_QUEUE are answered 503.',
        },
        'max(auth_password_hash_queue_length)',
      ),
      stat(
        {
          title: 'Age of the signing key',
          description: 'For how long it has signed.',
          unit: 's',
          alert: 'GatehouseSigningKeyExpiry',
        },
        'max(auth_signing_key_age_seconds)',
      ),
      stat(
        {
          title: 'Its successor is due in',
          description: 'Below zero: overdue.',
          unit: 's',
          alert: 'GatehouseSigningKeyExpiry',
        },
        'min(auth_signing_key_expiry_timestamp_seconds) - time()',
      ),
      stat(
        {
          title: 'Failed looks after keys',
          description: 'Within an hour; Auth looks each minute.',
          alert: 'GatehouseKeyRotationFailed',
        },
        'sum(increase(auth_key_rotations_total{result="failed"}[1h]))',
      ),
    ],
  },
);
