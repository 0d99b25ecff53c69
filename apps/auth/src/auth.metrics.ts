import { DURATION_BUCKETS, Metrics } from '@gatehouse/kernel';
import { Injectable } from '@nestjs/common';

/** What Auth counts beside what every service does. */
@Injectable()
export class AuthMetrics {
  readonly logins;
  readonly registrations;
  readonly hashing;
  readonly hashesRefused;
  readonly tokens;
  readonly sessionsRevoked;
  readonly keyRotations;

  constructor(private readonly metrics: Metrics) {
    this.logins = metrics.counter('auth_logins_total', 'Attempts to log in', {
      result: ['success', 'invalid_credentials', 'throttled'],
    });
    this.registrations = metrics.counter(
      'auth_registrations_total',
      'Registrations by how they ended',
      { result: ['completed', 'taken', 'refused'] },
    );
    this.hashing = metrics.histogram(
      'auth_password_hash_duration_seconds',
      'How long a password hash took, its wait included',
      [],
      DURATION_BUCKETS,
    );
    this.hashesRefused = metrics.counter(
      'auth_password_hash_refused_total',
      'Calls refused because too many password hashes were waiting',
    );
    this.tokens = metrics.counter('auth_tokens_issued_total', 'Access tokens issued', {
      grant: ['password', 'refresh_token', 'client_credentials'],
    });
    this.sessionsRevoked = metrics.counter('auth_sessions_revoked_total', 'Sessions ended', {
      reason: [
        'logout',
        'revoked',
        'refresh_reused',
        'password_changed',
        'user_deactivated',
        'user_deleted',
      ],
    });
    this.keyRotations = metrics.counter(
      'auth_key_rotations_total',
      'Looks after the signing keys, each minute: failed ones could not make a key that was due',
      { result: ['ok', 'failed'] },
    );
  }

  /** Reads the key that signs at each scrape; times in seconds since the epoch. */
  watchSigningKey(key: () => { signsFrom: number; expiry: number } | undefined): void {
    this.metrics.readGauge(
      'auth_signing_key_age_seconds',
      'For how long the current signing key has signed',
      [],
      (show) => {
        const current = key();
        if (current !== undefined) show(Date.now() / 1000 - current.signsFrom);
      },
    );
    this.metrics.readGauge(
      'auth_signing_key_expiry_timestamp_seconds',
      'When the key that signs should have been replaced at the latest, in seconds since the epoch',
      [],
      (show) => {
        const current = key();
        if (current !== undefined) show(current.expiry);
      },
    );
  }

  /** Reads the queue of password hashes at each scrape. */
  watchHashing(work: { running: number; queued: number; concurrency: number }): void {
    const gauges: [name: string, help: string, read: () => number][] = [
      ['running', 'Password hashes being computed', () => work.running],
      ['queue_length', 'Password hashes that wait for their turn', () => work.queued],
      ['concurrency', 'Password hashes computed at once at most', () => work.concurrency],
    ];
    for (const [name, help, read] of gauges)
      this.metrics.readGauge(`auth_password_hash_${name}`, help, [], (show) => show(read()));
  }
}
