import { setTimeout as sleep } from 'node:timers/promises';

/** One request of a load, and what became of it. */
export interface Sent<T> {
  /** Milliseconds of a monotonic clock. */
  from: number;
  until: number;
  result: T;
}

/**
 * Keeps `width` requests going, each worker one after the other, until it is stopped. What a request throws (a reset
 * connection) must be made a result by it: a load that hides failures proves nothing.
 */
export class Load<T> {
  readonly done: Sent<T>[] = [];
  private readonly workers: Promise<void>[];
  private stopping = false;

  /** @param pauseMs of a worker, between two requests */
  constructor(width: number, send: () => Promise<T>, pauseMs = 0) {
    this.workers = Array.from({ length: width }, async () => {
      while (!this.stopping) {
        const from = performance.now();
        const result = await send();
        this.done.push({ from, until: performance.now(), result });
        if (pauseMs > 0) await sleep(pauseMs);
      }
    });
  }

  /** Lets what is in flight finish. */
  async stop(): Promise<Sent<T>[]> {
    this.stopping = true;
    await Promise.all(this.workers);
    return this.done;
  }
}

/** The status of an answer; `error: ...` where there was none. */
export async function statusOf(answer: Promise<{ status: number }>): Promise<number | string> {
  try {
    return (await answer).status;
  } catch (error) {
    const { message, cause } = error as Error;
    return `error: ${message} ${(cause as Error | undefined)?.message ?? ''}`;
  }
}
