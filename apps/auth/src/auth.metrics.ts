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
  private readonly keyAge;

  constructor(metrics: Metrics) {
    this.logins = metrics.counter('auth_logins_total', 'Attempts to log in', ['result']);
    this.registrations = metrics.counter(
      'auth_registrations_total',
      'Registrations by how they ended',
      ['result'],
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
    this.tokens = metrics.counter('auth_tokens_issued_total', 'Access tokens issued', ['grant']);
    this.sessionsRevoked = metrics.counter('auth_sessions_revoked_total', 'Sessions ended', [
      'reason',
    ]);
    this.keyAge = metrics.gauge(
      'auth_signing_key_age_seconds',
      'For how long the current signing key has signed',
    );
  }

  /** Reads the age, in seconds, at each scrape. */
  watchKeyAge(age: () => number): void {
    const { keyAge } = this;
    // prom-client calls a metric's `collect` at each scrape.
    Object.assign(keyAge, { collect: () => keyAge.set(age()) });
  }
}
