/** How long to wait before something that keeps ending is started again: 0.5 s, doubled to at most 30 s. */
export class Backoff {
  private failures = 0;

  constructor(
    private readonly firstMs = 500,
    private readonly maxMs = 30_000,
    /** What ran this long is well: the next wait is the first again. */
    private readonly healthyAfterMs = 60_000,
  ) {}

  /** @param ranMs how long it ran this time; 0 where it did not become ready */
  next(ranMs: number): number {
    if (ranMs >= this.healthyAfterMs) this.failures = 0;
    return Math.min(this.maxMs, this.firstMs * 2 ** this.failures++);
  }
}
