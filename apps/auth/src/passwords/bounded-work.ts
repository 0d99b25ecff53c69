import { ServiceUnavailable } from '@gatehouse/contracts-platform';

/**
 * Runs at most `concurrency` pieces of work at once and lets at most `queue` wait, first come first served. One more is
 * refused at once: a caller that would wait for long is better told so early.
 */
export class BoundedWork {
  /** Pieces of work under way. */
  running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    readonly concurrency: number,
    private readonly queue: number,
  ) {}

  /** Pieces of work that wait for their turn. */
  get queued(): number {
    return this.waiting.length;
  }

  /** @throws ServiceUnavailable with `retryAfterSeconds` where the queue is full */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.concurrency) this.running += 1;
    else {
      if (this.waiting.length >= this.queue) {
        throw new ServiceUnavailable('Too many passwords are being checked just now.', {
          retryAfterSeconds: 1,
        });
      }
      // The place is handed over, so `running` stays as it is.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}
