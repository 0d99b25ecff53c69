/** Milliseconds an instance is left out for the first time; doubled each time in a row. */
const BASE_EJECTION_MS = 1_000;
const MAX_EJECTION_MS = 30_000;
/** Failures in a row (reset, broken answer, no answer in time) after which an instance that still connects is left out. */
const FAILURES_TO_EJECT = 5;

export type CircuitState = 'closed' | 'open' | 'half-open';

/**
 * Outlier ejection of one instance. It is out at the first failed connect and after several failures in a row; when
 * its time is over one request tries it, and decides. All times are monotonic milliseconds.
 */
export class Circuit {
  private openUntil = 0;
  private failures = 0;
  private ejections = 0;
  private trialRunning = false;

  /** @param onEjected told each time it is left out */
  constructor(private readonly onEjected: () => void = () => undefined) {}

  /** Whether a request may be sent now. */
  allows(now: number): boolean {
    if (this.openUntil === 0) return true;
    return now >= this.openUntil && !this.trialRunning;
  }

  /** A request was sent. While half open this is the one that decides. */
  onSent(): void {
    if (this.openUntil !== 0) this.trialRunning = true;
  }

  onSuccess(): void {
    this.failures = 0;
    if (this.openUntil === 0) return;
    this.openUntil = 0;
    this.ejections = 0;
    this.trialRunning = false;
  }

  onConnectFailed(now: number): void {
    this.eject(now);
  }

  onFailure(now: number): void {
    this.failures++;
    if (this.failures >= FAILURES_TO_EJECT || this.trialRunning) this.eject(now);
  }

  /** The client went away before the instance could show anything. */
  onAbandoned(): void {
    this.trialRunning = false;
  }

  state(now: number): CircuitState {
    if (this.openUntil === 0) return 'closed';
    return now < this.openUntil ? 'open' : 'half-open';
  }

  get timesEjected(): number {
    return this.ejections;
  }

  get failuresInARow(): number {
    return this.failures;
  }

  private eject(now: number): void {
    this.trialRunning = false;
    // Requests that were in flight together fail together: that is one ejection, not many.
    if (this.openUntil > now) return;
    this.openUntil = now + Math.min(BASE_EJECTION_MS * 2 ** this.ejections, MAX_EJECTION_MS);
    this.ejections++;
    this.failures = 0;
    this.onEjected();
  }
}
