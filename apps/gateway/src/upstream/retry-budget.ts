/** Retries earned by one request. */
const EARNED_PER_REQUEST = 0.2;
/** What a quiet service may retry, and the most that can be saved up. */
const RESERVE = 100;
const RESERVE_PER_SECOND = 10;

/**
 * How many retries a service may get: a fifth of its requests, and a small reserve that refills with time. So a
 * service that fails outright sees 1.2 times its load, never a storm.
 */
export class RetryBudget {
  private tokens = RESERVE;
  private refilledAt: number;

  /** @param now monotonic milliseconds */
  constructor(now: number) {
    this.refilledAt = now;
  }

  onRequest(): void {
    if (this.tokens < RESERVE) this.tokens += EARNED_PER_REQUEST;
  }

  /** Whether one more retry may be made; it is then spent. */
  spend(now: number): boolean {
    const earned = ((now - this.refilledAt) / 1_000) * RESERVE_PER_SECOND;
    this.tokens = Math.min(RESERVE, this.tokens + earned);
    this.refilledAt = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
